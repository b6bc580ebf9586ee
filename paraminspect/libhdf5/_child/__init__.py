"""The child process in which libhdf5 runs, started by `starting.py` and never imported.

It stands alone, with relative imports only, so that it starts fast and shares nothing with what
it could damage: the whole of paraminspect stays out of it.
"""
