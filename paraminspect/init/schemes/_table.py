"""Which schemes there are: name to function. A new one is a function and a line here."""

from __future__ import annotations

from paraminspect.init.schemes import _basic, _matrices, _scaled
from paraminspect.init.schemes._calls import SchemeFunction

FAMILIES: dict[str, dict[str, SchemeFunction]] = {
    "Constants": {
        "zeros": _basic.zeros,
        "ones": _basic.ones,
        "constant": _basic.constant,
    },
    "Plain distributions": {
        "uniform": _basic.uniform,
        "normal": _basic.normal,
        "trunc_normal": _basic.trunc_normal,
        "truncated_normal": _basic.truncated_normal,
        "random_uniform": _basic.random_uniform,
        "random_normal": _basic.random_normal,
        "Uniform": _basic.scaled_uniform,
        "Normal": _basic.scaled_normal,
        "sparse": _basic.sparse,
        "padded": _basic.padded,
    },
    "Scaled by fans": {
        "xavier_uniform": _scaled.xavier_uniform,
        "xavier_normal": _scaled.xavier_normal,
        "kaiming_uniform": _scaled.kaiming_uniform,
        "kaiming_normal": _scaled.kaiming_normal,
        "variance_scaling": _scaled.variance_scaling,
        "glorot_uniform": _scaled.glorot_uniform,
        "glorot_normal": _scaled.glorot_normal,
        "he_uniform": _scaled.he_uniform,
        "he_normal": _scaled.he_normal,
        "lecun_uniform": _scaled.lecun_uniform,
        "lecun_normal": _scaled.lecun_normal,
        "xavier": _scaled.xavier,
        "msraprelu": _scaled.msraprelu,
    },
    "Matrices and patterns": {
        "orthogonal": _matrices.orthogonal,
        "orthogonal_svd": _matrices.orthogonal_svd,
        "delta_orthogonal": _matrices.delta_orthogonal,
        "identity": _matrices.identity,
        "dirac": _matrices.dirac,
        "bilinear": _matrices.bilinear,
        "lstm_bias": _matrices.lstm_bias,
    },
}
"""Name to function, by what is drawn."""

SCHEMES: dict[str, SchemeFunction] = {
    name: function for family in FAMILIES.values() for name, function in family.items()
}

ALIASES: dict[str, str] = {
    "zero": "zeros", "Zeros": "zeros", "Zero": "zeros",
    "one": "ones", "Ones": "ones", "One": "ones",
    "Constant": "constant",
    "eye": "identity", "Identity": "identity", "IdentityInitializer": "identity",
    "RandomUniform": "random_uniform", "RandomNormal": "random_normal",
    "TruncatedNormal": "truncated_normal", "VarianceScaling": "variance_scaling",
    "GlorotUniform": "glorot_uniform", "GlorotNormal": "glorot_normal",
    "HeUniform": "he_uniform", "HeNormal": "he_normal",
    "LecunUniform": "lecun_uniform", "LecunNormal": "lecun_normal",
    "Orthogonal": "orthogonal", "OrthogonalInitializer": "orthogonal",
    "Xavier": "xavier", "MSRAPrelu": "msraprelu", "Bilinear": "bilinear",
    "LSTMBias": "lstm_bias", "lstmbias": "lstm_bias",
}  # fmt: skip
"""What else the frameworks write. torch.nn.init's trailing underscore may stay."""

IN_PLACE: dict[str, SchemeFunction] = {
    "constant_": _basic.constant_,
    "normal_": _basic.normal_,
    "uniform_": _basic.uniform_,
}
"""Names with an underscore whose arguments are not those of the name without."""
