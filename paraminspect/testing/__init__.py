"""Testing: what every framework must do, as checks that other packages run too."""

from paraminspect.testing._frameworks import FRAMEWORK_CHECKS, Example, check_framework

__all__ = ["FRAMEWORK_CHECKS", "Example", "check_framework"]
