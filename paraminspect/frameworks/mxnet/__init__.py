"""MXNet 1.9.1: the layers of `gluon.nn` and `gluon.rnn`, with their arguments and defaults.

Names are those of `collect_params()` in a fresh process, or with `names: structural` those of
`save_parameters`. The recurrent layers are called without their package: `LSTM(...)`.
"""
