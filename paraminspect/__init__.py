"""paraminspect: `ls`, `cut`, `sed`, `ln` and `diff` for the parameters of neural networks."""
