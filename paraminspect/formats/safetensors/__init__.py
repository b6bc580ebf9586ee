"""safetensors, in one file and in shards."""
