"""Names of Keras that a definition does not call, with what to do instead."""

from __future__ import annotations

_FOREIGN = "it holds a model of another library: write the layers of which it was made"
_PREPARING = "it prepares data and has no parameters: leave it out, `input:` is the shape after it"
_AUGMENTING = "it changes images in training only and has no parameters: leave it out"
ABSENT = {
    "Model": "write a mapping of its layers, or `Functional():` around them",
    "Layer": "write a mapping of its parts",
    "Wrapper": "write the layer that it goes around",
    "Pipeline": "write a list",
    "Lambda": "a function is not part of a definition: leave it out, it has no parameters",
    "SpectralNormalization": "it is not described: write the layer that it goes around",
    "STFTSpectrogram": "it is not described: its kernels are computed and not trained",
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"), _FOREIGN),
    **dict.fromkeys(
        (
            *("CategoryEncoding", "Discretization", "HashedCrossing", "Hashing"),
            *("IntegerLookup", "MaxNumBoundingBoxes", "MelSpectrogram", "StringLookup"),
            "TextVectorization",
        ),
        _PREPARING,
    ),
    **dict.fromkeys(
        (
            *("AugMix", "AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization"),
            *("CutMix", "Equalization", "MixUp", "RandAugment", "RandomColorDegeneration"),
            *("RandomColorJitter", "RandomElasticTransform", "RandomErasing"),
            *("RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert"),
            *("RandomPerspective", "RandomPosterization", "RandomSaturation"),
            *("RandomSharpness", "RandomShear", "Solarization"),
        ),
        _AUGMENTING,
    ),
}
"""Name to reason; each ends what an error says."""
