"""Symbolic derivation and verification of backpropagation."""

from symbackprop.derivation import Derivation
from symbackprop.errors import NetworkError, NotationError, ShapeMismatch, SymbackpropError, Unsupported
from symbackprop.model.activations import Activation
from symbackprop.model.build import Dense
from symbackprop.model.losses import Loss
from symbackprop.network import Network
from symbackprop.notation.notation import Notation

__all__ = [
    "Activation",
    "Dense",
    "Derivation",
    "Loss",
    "Network",
    "NetworkError",
    "Notation",
    "NotationError",
    "ShapeMismatch",
    "SymbackpropError",
    "Unsupported",
]
