"""The layers of Gluon."""
