"""Modules to take away: the derivation in a library's own form, with a test that the library's own checker makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from symbackprop.calculus.derived import Derived
from symbackprop.errors import InputError, Unsupported
from symbackprop.numeric import functional_source, numpy_source
from symbackprop.numeric.c_source import RESERVED, c_files
from symbackprop.numeric.module_text import Names
from symbackprop.numeric.program import Program, program
from symbackprop.numeric.scalar_text import IDENTIFIER
from symbackprop.numeric.self_test import example_sizes, target_kind

Files = list[tuple[Path, str]]

ABOUT = '''"""Hand-derived backpropagation: {what}. Run this file and it checks itself.

Written by symbackprop from the closed form of each gradient; it needs {library} and nothing else.
"""

'''

NUMPY_TEST = '''

def self_test():
    """Each gradient along a random direction against central differences: a line each, and whether all agree."""
    rng = np.random.default_rng(0)
{draws}
    J, gradients = loss_and_gradients({call})
    arrays = {{**params, "{x}": {x}}}
    agree = True
    for name, gradient in gradients.items():
        array, step = arrays[name], 1e-5
        kept, direction = array.copy(), rng.normal(size=array.shape)
        array[...] = kept + step * direction
        above = loss_and_gradients({call})[0]
        array[...] = kept - step * direction
        below = loss_and_gradients({call})[0]
        array[...] = kept
        along, found = np.vdot(gradient, direction), (above - below) / (2 * step)
        fine = bool(abs(found - along) <= 1e-6 * (np.abs(gradient * direction).sum() + abs(J) + 1e-3))
        print(f"{{name:4}} derivative {{along:+.9f}}, by differences {{found:+.9f}}: {{'agrees' if fine else 'WRONG'}}")
        agree = agree and fine
    return agree


if __name__ == "__main__":
    raise SystemExit(0 if self_test() else 1)
'''

TORCH_TEST = '''

class Loss(torch.autograd.Function):
    """J as a function that autograd can use; the backward pass is the one above."""

    @staticmethod
    def forward(ctx, {flat}):
        J, gradients = loss_and_gradients({packed})
        ctx.save_for_backward(*(gradients[name] for name in {wrt}))
        return J

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, bar):
        return (*(bar * gradient for gradient in ctx.saved_tensors), {nones})


def loss({arguments}):
    """J, differentiable by the parameters and by {x}."""
    return Loss.apply({applied})


def self_test():
    """PyTorch's own checker, torch.autograd.gradcheck, in double precision."""
    import numpy as np

    rng = np.random.default_rng(0)
{draws}
    tensors = {{name: torch.tensor(array, requires_grad=True) for name, array in {{**params, "{x}": {x}}}.items()}}
    {y} = torch.tensor({y})
    names = list(tensors)

    def value(*given):
        named = dict(zip(names, given))
        {x} = named.pop("{x}")
        return loss({gradcheck})

    return torch.autograd.gradcheck(value, tuple(tensors.values()), raise_exception=False)


if __name__ == "__main__":
    agree = self_test()
    print("gradcheck:", "agrees" if agree else "WRONG")
    raise SystemExit(0 if agree else 1)
'''

JAX_TEST = '''

@jax.custom_vjp
def loss({arguments}):
    """J, differentiable by the parameters and by {x}; the backward pass is the one above."""
    return loss_and_gradients({arguments})[0]


def _forward({arguments}):
    return loss_and_gradients({arguments})


def _backward(gradients, bar):
    by_parameters = {{name: bar * gradients[name] for name in {parameters}}}
    return by_parameters, bar * gradients["{x}"], {nones}


loss.defvjp(_forward, _backward)


def self_test():
    """JAX's own checker, jax.test_util.check_grads, in double precision; it raises where something is wrong."""
    import numpy as np
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
{draws}
    params = {{name: jnp.asarray(array) for name, array in params.items()}}
    check_grads(lambda p, u: loss({check}), (params, jnp.asarray({x})), order=1, modes=["rev"])


if __name__ == "__main__":
    self_test()
    print("check_grads: agrees")
'''


def _what(program: Program) -> str:
    model = program.derived.model
    layers = " -> ".join(f"{layer.activation.name} ({layer.size})" for layer in model.layers)
    return f"{model.loss.name}, {model.sizes[0]} -> {layers}"


def _draws(program: Program, names: Names) -> str:
    """Lines that draw parameters, input and target at generic sizes."""
    model, numbers = program.derived.model, example_sizes(program)

    def shape(symbol_shape: tuple[object, ...]) -> str:
        return ", ".join(str(s.subs(numbers)) for s in symbol_shape)  # type: ignore[attr-defined]

    drawn = ", ".join(f'"{p.name}": rng.normal(size=({shape(p.shape)}))' for p in program.parameters)
    y, kind, axis = model.y.name, target_kind(program), model.frame.unit_axis
    rows, columns = (int(s.subs(numbers)) for s in model.y.shape)
    units, samples = (rows, columns) if axis == 0 else (columns, rows)
    hot = f"np.eye({units})[np.arange({samples}) % {units}]" + (".T.copy()" if axis == 0 else "")
    target = {
        "numbers": f"rng.normal(size=({rows}, {columns}))",
        "signs": f"np.where(rng.random(({rows}, {columns})) < 0.5, -1.0, 1.0)",
        "classes": hot,
        "fractions": f"rng.uniform(0.1, 0.9, size=({rows}, {columns}))",
    }[kind]
    lines = [f"params = {{{drawn}}}", f"{names.x} = rng.normal(size=({shape(model.x.shape)}))", f"{y} = {target}"]
    return "\n".join(f"    {line}" for line in lines)


def numpy_module(derived: Derived, _: str = "") -> str:
    """A NumPy module; run, it compares its gradients with central differences."""
    made = program(derived)
    names = Names(made)
    call = ", ".join(["params", names.x, names.y, *["0.1" for _ in names.rates]])
    head = ABOUT.format(what=_what(made), library="NumPy")
    return head + numpy_source.module(made) + NUMPY_TEST.format(draws=_draws(made, names), call=call, x=names.x)


def _differentiable(derived: Derived) -> Program:
    """With the gradient by the input, so that the loss can stand behind other layers."""
    return program(derived, [*(p.name for p in derived.model.parameters), derived.model.x.name])


def torch_module(derived: Derived, _: str = "") -> str:
    """A PyTorch module with a ``torch.autograd.Function``; run, it calls ``torch.autograd.gradcheck``."""
    made = _differentiable(derived)
    names = Names(made)
    parameters = [p.name for p in made.parameters]
    test = TORCH_TEST.format(
        flat=", ".join([*parameters, names.x, names.y, *names.rates]),
        packed=", ".join(["{" + ", ".join(f'"{p}": {p}' for p in parameters) + "}", names.x, names.y, *names.rates]),
        wrt=repr((*parameters, names.x)).replace("'", '"'),
        nones=", ".join("None" for _ in range(1 + len(names.rates))),
        arguments=", ".join(["params", names.x, names.y, *names.rates]),
        applied=", ".join([*(f'params["{p}"]' for p in parameters), names.x, names.y, *names.rates]),
        gradcheck=", ".join(["named", names.x, names.y, *("0.1" for _ in names.rates)]),
        draws=_draws(made, names),
        x=names.x,
        y=names.y,
    )
    code = functional_source.module(made, functional_source.TORCH)
    return ABOUT.format(what=_what(made), library="PyTorch") + code + test


def jax_module(derived: Derived, _: str = "") -> str:
    """A JAX module with a ``custom_vjp``; run, it calls ``jax.test_util.check_grads``."""
    made = _differentiable(derived)
    names = Names(made)
    test = JAX_TEST.format(
        arguments=", ".join(["params", names.x, names.y, *names.rates]),
        parameters=repr(tuple(p.name for p in made.parameters)).replace("'", '"'),
        nones=", ".join("None" for _ in range(1 + len(names.rates))),
        check=", ".join(["p", "u", f"jnp.asarray({names.y})", *("0.1" for _ in names.rates)]),
        draws=_draws(made, names),
        x=names.x,
    )
    code = functional_source.module(made, functional_source.JAX)
    return ABOUT.format(what=_what(made), library="JAX") + code + test


MODULES: dict[str, Callable[[Derived], str]] = {"numpy": numpy_module, "torch": torch_module, "jax": jax_module}
TARGETS = (*MODULES, "c")


def exported(derived: Derived, to: str, path: Path) -> Files:
    """The files of an export: one module, or for C the source and its header. Raises InputError, Unsupported."""
    if to in MODULES:
        if path.suffix != ".py":
            raise InputError(f"{path}: a module for {to} is a .py file: rename it")
        return [(path, MODULES[to](derived))]
    if to != "c":
        raise InputError(f"no export to {to!r}: there are {', '.join(TARGETS)}")
    if path.suffix != ".c":
        raise InputError(f"{path}: C code is a .c file, with its header beside it: rename it")
    if not IDENTIFIER.fullmatch(path.stem) or path.stem in RESERVED:
        raise Unsupported(
            f"{path}: the function takes the file's name, which must be a name in C: letters, digits and _"
        )
    files = c_files(program(derived), path.stem)
    return [(path, files.source), (path.with_suffix(".h"), files.header)]
