"""Makes ties.json with real transformers: `TORCH_PYTHON make_ties.py FOLDER`.

For each model what its state_dict lists (name, shape, dtype), which of these names are one array,
and what `save_pretrained` writes: one name of each array, and no trace of the others.
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
import transformers as t
from safetensors import safe_open

SMALL = {"vocab_size": 13, "max_position_embeddings": 8}
BART = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1}
BART |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
BART |= {"encoder_ffn_dim": 6, "decoder_ffn_dim": 6}
LAYER = {"hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
WHISPER = {"vocab_size": 13, "num_mel_bins": 4, "max_source_positions": 6, "pad_token_id": 0}
T5 = {"d_model": 8, "d_kv": 4, "d_ff": 6, "num_layers": 1, "num_heads": 2}
MODELS = {
    "bart": lambda: t.BartForConditionalGeneration(t.BartConfig(**SMALL, **BART)),
    "albert": lambda: t.AlbertForMaskedLM(
        t.AlbertConfig(**SMALL, **LAYER, embedding_size=4, intermediate_size=6)
    ),
    "whisper": lambda: t.WhisperForConditionalGeneration(
        t.WhisperConfig(**WHISPER, **BART, max_target_positions=7)
    ),
    "distilbert": lambda: t.DistilBertForMaskedLM(
        t.DistilBertConfig(**SMALL, dim=8, hidden_dim=6, n_layers=1, n_heads=2)
    ),
    "gpt2": lambda: t.GPT2LMHeadModel(
        t.GPT2Config(vocab_size=13, n_positions=8, n_embd=8, n_layer=1, n_head=2)
    ),
    "bert": lambda: t.BertForMaskedLM(t.BertConfig(**SMALL, **LAYER, intermediate_size=6)),
    "t5": lambda: t.T5ForConditionalGeneration(t.T5Config(vocab_size=13, **T5)),
}


def describe(model):
    state = model.state_dict()
    groups = {}
    for name, tensor in state.items():
        groups.setdefault((tensor.data_ptr(), tuple(tensor.shape)), []).append(name)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(Path(folder, "model.safetensors"), "pt") as file:
            stored = sorted(file.keys())
    tensors = [[n, list(x.shape), str(x.dtype).removeprefix("torch.")] for n, x in state.items()]
    return {
        "tensors": tensors,
        "tied": [names for names in groups.values() if len(names) > 1],
        "stored": stored,
    }


torch.manual_seed(0)
listing = {name: describe(make()) for name, make in MODELS.items()}
lines = [f"{json.dumps(name)}: {json.dumps(found)}" for name, found in listing.items()]
Path(sys.argv[1], "ties.json").write_text("{" + ",\n".join(lines) + "}\n")
