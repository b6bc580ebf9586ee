"""What the layers and functions of MXNet Gluon compute, by the names of `frameworks.mxnet`."""
