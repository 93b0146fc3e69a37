"""Symbolic derivation and verification of backpropagation.

What is named here is imported when it is first used, so that what needs no algebra starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symbackprop.derivation import Derivation
    from symbackprop.errors import (
        BlindPointWarning,
        CheckError,
        FileError,
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
    from symbackprop.notes.verify import verify_file
    from symbackprop.numeric.check import check_gradient
    from symbackprop.numeric.gradient_check import GradientCheck
    from symbackprop.proof.status import Status

__all__ = [
    "Activation",
    "BlindPointWarning",
    "CheckError",
    "Dense",
    "Derivation",
    "FileError",
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
    "verify_file",
]

_HOME = {
    "Activation": "model.activations",
    "BlindPointWarning": "errors",
    "CheckError": "errors",
    "Dense": "model.build",
    "Derivation": "derivation",
    "FileError": "errors",
    "GradientCheck": "numeric.gradient_check",
    "Loss": "model.losses",
    "Network": "network",
    "NetworkError": "errors",
    "Notation": "notation.notation",
    "NotationError": "errors",
    "ShapeMismatch": "errors",
    "Status": "proof.status",
    "SymbackpropError": "errors",
    "Unsupported": "errors",
    "check_gradient": "numeric.check",
    "verify_file": "notes.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'symbackprop' has no attribute {name!r}")
    value = getattr(import_module(f"symbackprop.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
