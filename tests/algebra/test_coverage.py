"""Fails until every walker knows every node, and every node passes through SymPy and the index form with its value."""

from typing import Any

import formula_values
import index_values
import mpmath
import numpy as np
import pytest
import sympy
from exact import Env, evaluated, same_arrays
from formula_examples import EXAMPLES, environment

from symbackprop.algebra import formula as f
from symbackprop.algebra import index as ix
from symbackprop.algebra import meaning as bridge
from symbackprop.algebra.shape import _shape, shape
from symbackprop.algebra.sympy_border import from_sympy, to_sympy
from symbackprop.algebra.sympy_entries import ArrayEntry
from symbackprop.algebra.written import written
from symbackprop.calculus.entrywise import differentiate
from symbackprop.calculus.pullback import RULES, pullback
from symbackprop.notation.latex import LatexWriter
from symbackprop.numeric.lower import lower
from symbackprop.proof import evaluate

FORMULA_WALKERS = {
    "shape": _shape.registry,
    "to_sympy": to_sympy.registry,
    "meaning": bridge._entry.registry,
    "pullback": pullback.registry,
    "lower": lower.registry,
    "latex": LatexWriter.__dict__["_tex"].dispatcher.registry,
    "the value at a point": evaluate.value.registry,
    "the witness's value": formula_values.value.registry,
}
INDEX_WALKERS = {
    "written": written.registry,
    "differentiate": differentiate.registry,
    "the witness's value": index_values.value.registry,
}


def below(base: type) -> set[type]:
    """Every class that is derived from it, at any depth; only the package's own."""
    found = set(base.__subclasses__())
    found |= {deeper for kind in found for deeper in below(kind)}
    return {kind for kind in found if kind.__module__.startswith("symbackprop.")}


def missing(registry: Any, nodes: Any) -> list[str]:
    return [node.__name__ for node in nodes if node not in registry]


@pytest.mark.parametrize("walker", FORMULA_WALKERS)
def test_a_walker_knows_every_formula_node(walker: str) -> None:
    assert missing(FORMULA_WALKERS[walker], f.NODES) == []


@pytest.mark.parametrize("walker", INDEX_WALKERS)
def test_a_walker_knows_every_index_node(walker: str) -> None:
    assert missing(INDEX_WALKERS[walker], ix.NODES) == []


def test_the_nodes_are_all_that_there_are() -> None:
    assert below(f.Formula) == set(f.NODES)
    assert below(ix.IndexExpr) == set(ix.NODES)
    assert len(set(f.NODES)) == len(f.NODES)
    assert len(set(ix.NODES)) == len(ix.NODES)


def test_every_node_with_children_has_a_named_rule() -> None:
    inner = [node for node in f.NODES if node.parts and node is not f.Derivative]
    assert missing(RULES, inner) == []


def test_every_node_has_an_example() -> None:
    assert missing({type(u) for example in EXAMPLES.values() for u in f.walk(example)}, f.NODES) == []
    bodies = [bridge.meaning(example).body for example in EXAMPLES.values()]
    assert missing({type(u) for body in bodies for u in ix.walk(body)}, ix.NODES) == []


def test_a_node_that_a_walker_lacks_is_noticed() -> None:
    class Conjugate(f.Formula):
        """A node that nobody knows."""

    assert missing(_shape.registry, [Conjugate]) == ["Conjugate"]
    for walk in (shape, to_sympy, LatexWriter(), lambda u: pullback(u, u, 0), bridge.meaning):
        with pytest.raises(TypeError, match="Conjugate"):
            walk(Conjugate())


every_example = pytest.mark.parametrize("name", EXAMPLES)


@every_example
def test_parts_are_the_children(name: str) -> None:
    """``with_children`` puts back what ``children`` took out, and nothing else."""
    node = EXAMPLES[name]
    for u in f.walk(node):
        assert u.with_children(u.children) == u
        held = [v for field in vars(u).values() for v in (field if isinstance(field, tuple) else (field,))]
        assert [v for v in held if isinstance(v, f.Formula)] == [v for v in u.children if v in held] or u.through
    assert f.rewrite(node, lambda u: u) is node


@every_example
def test_shape_and_index_form_agree_with_the_value(name: str) -> None:
    node, env = EXAMPLES[name], environment()
    with mpmath.workdps(50):
        value = formula_values.value(node, env)
        assert value.shape == tuple(env.whole(n) for n in shape(node))
        row, column = sympy.symbols("row column")
        body = bridge.meaning(node, (row, column)).body
        axes = list(zip((row, column), shape(node), strict=True))
        assert same_arrays(index_values.entries(body, axes, env), value)


@every_example
def test_index_form_has_the_axes_of_the_shape(name: str) -> None:
    node = EXAMPLES[name]
    form = bridge.meaning(node)
    assert [size for _, size in form.axes] == [n for n in shape(node) if n != 1]
    bound = [u.index for u in ix.walk(form.body) if isinstance(u, ix.Sum)]
    assert not set(bound) & {index for index, _ in form.axes}, "a sum captures a free index"


@every_example
def test_the_way_through_sympy_keeps_the_value(name: str) -> None:
    node, env = EXAMPLES[name], environment()
    expr = to_sympy(node)
    back = from_sympy(expr)
    assert shape(back) == shape(node)
    with mpmath.workdps(50):
        assert same_arrays(formula_values.value(back, env), formula_values.value(node, env))
    assert to_sympy(from_sympy(to_sympy(back))) == to_sympy(back)


@every_example
def test_numpy_code_has_the_formulas_value(name: str) -> None:
    """What is no array may come as a number or as a 1 x 1 array; what is one has its shape."""
    node, env = EXAMPLES[name], environment()
    expr = to_sympy(node)
    names = sorted(expr.free_symbols, key=str)
    known = {n: np.array([[float(v) for v in row] for row in rows]) for n, rows in env.arrays.items()}
    known |= {n: v if isinstance(v, int) else float(v) for n, v in env.scalars.items()}
    axis = next((u.axis for u in f.walk(node) if isinstance(u, f.OpaqueLoss)), 0)
    function = sympy.lambdify(names, expr, [numpy_functions(env, axis), "numpy"])
    got, want = function(*(known[str(n)] for n in names)), formula_values.value(node, env).astype(float)
    assert np.shape(got) == want.shape or want.size == np.size(got) == 1
    assert np.allclose(got, want, rtol=1e-12, atol=0)


def numpy_functions(env: Env, axis: int) -> dict[str, Any]:
    """The opaque functions of the environment, on arrays whose units lie along an axis; and erf, which NumPy lacks."""

    def by_sample(function: Any) -> Any:
        def apply(a: Any, y: Any) -> Any:
            samples = zip(a, y, strict=True) if axis else zip(a.T, y.T, strict=True)
            out = np.array([np.atleast_1d(function(list(p), list(t))) for p, t in samples])
            return out if axis else out.T

        return apply

    (loss, gradient), (sigma, sigma_prime, _) = env.losses["C"], env.functions["sigma"]
    erf = np.vectorize(lambda x: float(mpmath.erf(x)))
    return {"sigma": sigma, "sigma_prime": sigma_prime, "C": by_sample(loss), "grad_C": by_sample(gradient), "erf": erf}


@every_example
def test_entries_of_the_sympy_expression_are_the_formulas(name: str) -> None:
    """as_explicit, at sizes that are numbers, against the formula's own value."""
    node, env = EXAMPLES[name], environment()
    expr = to_sympy(node).subs({n: v for n, v in env.scalars.items() if isinstance(v, int)})
    if expr.has(ArrayEntry):
        pytest.skip("an entry is no array")
    explicit = expr.as_explicit() if getattr(expr, "is_Matrix", False) else sympy.Matrix([[expr]])
    with mpmath.workdps(50):
        want = formula_values.value(node, env)
        assert explicit.shape == want.shape
        assert same_arrays(evaluated(explicit, env), want)


@every_example
def test_latex_is_balanced_and_not_empty(name: str) -> None:
    text = LatexWriter()(EXAMPLES[name])
    assert text
    assert text.count("{") == text.count("}")
    assert text.count(r"\left") == text.count(r"\right")
    assert text.count("(") == text.count(")")


def test_a_planted_mistake_in_the_bridge_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minus read as plus, and a square whose transpose is forgotten."""
    node, env = EXAMPLES["Add"], environment()
    row, column = sympy.symbols("row column")
    axes = list(zip((row, column), shape(node), strict=True))
    monkeypatch.setattr(ix, "MINUS_ONE", ix.ONE)
    wrong = index_values.entries(bridge.meaning(node, (row, column)).body, axes, env)
    assert not same_arrays(wrong, formula_values.value(node, env))
    square = EXAMPLES["Product, a square twice"]
    D = square.factors[0]
    assert not same_arrays(formula_values.value(D @ D.T, env), formula_values.value(square, env))
