"""Pictures of a gradient check, by Matplotlib: the error against the step, and where a gradient is wrong."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from symbackprop.errors import CheckError, Unsupported

if TYPE_CHECKING:
    from symbackprop.numeric.gradient_check import Finding, GradientCheck


def plot(result: GradientCheck, parameter: str | None) -> Any:
    """A figure with the V-curve of a parameter's directions and, where there is one, the map of where it is wrong."""
    try:
        figure_class = import_module("matplotlib.figure").Figure
    except ImportError as error:
        raise Unsupported("plotting needs Matplotlib: pip install 'symbackprop[plot]'") from error
    name = result.worst if parameter is None else parameter
    if name not in result.table:
        raise CheckError(f"no parameter {name!r}: there are {', '.join(result.table)}")
    picture = result.maps.get(name)
    figure = figure_class(figsize=(5 if picture is None else 10, 4), layout="constrained")
    axes = figure.subplots(1, 1 if picture is None else 2, squeeze=False)[0]
    _curves(axes[0], name, [u for u in result.findings if u.parameters == (name,)])
    if picture is not None:
        largest = float(np.max(np.abs(picture))) or 1.0
        image = axes[1].imshow(
            picture, cmap="RdBu", vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest"
        )
        figure.colorbar(image, ax=axes[1])
        blocks = "" if picture.size == result.table[name].entries else ", by blocks"
        axes[1].set_title(f"{name}: claimed minus estimated{blocks}")
    return figure


def _curves(axes: Any, name: str, findings: list[Finding]) -> None:
    """The error of central differences against the step, what rounding can do, and how far the claim is."""
    for n, u in enumerate(findings):
        steps, differences = np.array(u.steps), np.array(u.differences)
        errors = np.abs(differences - u.estimate)
        seen = np.isfinite(errors) & (errors > 0)
        axes.loglog(steps[seen], errors[seen], "o-", color=f"C{n}", label=u.label)
        axes.loglog(steps, u.floors, ":", color=f"C{n}", label="rounding")
        if u.error > 0:
            axes.axhline(u.error, color=f"C{n}", linestyle="--", label="the claim")
    axes.set_xlabel("step, in lengths of the parameter")
    axes.set_ylabel("error of the difference")
    axes.set_title(f"{name}: error against step")
    axes.legend(fontsize="small")
