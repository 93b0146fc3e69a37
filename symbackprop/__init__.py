"""Symbolic derivation and verification of backpropagation."""

from symbackprop.derivation import Derivation
from symbackprop.errors import (
    BlindPointWarning,
    CheckError,
    NetworkError,
    NotationError,
    ShapeMismatch,
    SymbackpropError,
    Unsupported,
)
from symbackprop.model.activations import Activation
from symbackprop.model.build import Dense
from symbackprop.model.losses import Loss
from symbackprop.network import Network
from symbackprop.notation.notation import Notation
from symbackprop.numeric.check import check_gradient
from symbackprop.numeric.gradient_check import GradientCheck
from symbackprop.proof.status import Status

__all__ = [
    "Activation",
    "BlindPointWarning",
    "CheckError",
    "Dense",
    "Derivation",
    "GradientCheck",
    "Loss",
    "Network",
    "NetworkError",
    "Notation",
    "NotationError",
    "ShapeMismatch",
    "Status",
    "SymbackpropError",
    "Unsupported",
    "check_gradient",
]
