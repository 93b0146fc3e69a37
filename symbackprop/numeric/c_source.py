"""Loops and calls of BLAS in C: a source file, its header, and a test of itself under a macro."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from symbackprop.algebra.formula import ONE, SCALAR, Shape, Symbol
from symbackprop.errors import Unsupported
from symbackprop.numeric.loop_source import OPERATIONS
from symbackprop.numeric.loops import Elementwise, Kernel, Loops, MatMul, Number, Reduce
from symbackprop.numeric.module_text import bracketed
from symbackprop.numeric.program import Program, Step

C_OPERATIONS = {
    **OPERATIONS,
    "where": "{0} ? {1} : {2}",
    "as_float": "{0} ? (real)1 : (real)0",
    "logical_and": "{0} && {1}",
    "logical_or": "{0} || {1}",
    "power": "pow({0}, {1})",
    "absolute": "fabs({0})",
    **{op: f"{op}({{0}})" for op in ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "sin", "cos", "sinh", "cosh")},
    **{op: f"{op}({{0}})" for op in ("erf", "erfc")},
}

# What means something else in the file: words of C, functions of math.h and stdlib.h, and names of the file itself.
RESERVED = frozenset(
    [
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "main",
        "acos",
        "asin",
        "atan",
        "atan2",
        "cbrt",
        "ceil",
        "cos",
        "cosh",
        "erf",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "fabs",
        "floor",
        "fma",
        "fmax",
        "fmin",
        "fmod",
        "hypot",
        "ldexp",
        "lgamma",
        "log",
        "log10",
        "log1p",
        "log2",
        "logb",
        "pow",
        "rint",
        "round",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "tgamma",
        "trunc",
        "j0",
        "j1",
        "jn",
        "y0",
        "y1",
        "yn",
        "malloc",
        "free",
        "abs",
        "rand",
        "size_t",
        "real",
        "larger",
        "smaller",
        "squared",
        "sign",
        "sigmoid",
        "softplus",
        "product",
        "cost",
        "room",
        "total",
        "i",
        "j",
        "k",
        "INFINITY",
        "NULL",
        "NAN",
        "drawn",
        "state",
        "step",
        "enough",
        "above",
        "below",
        "wrong",
        "kept",
        "direction",
        "along",
        "size",
        "found",
        "error",
        "fails",
        "printf",
    ]
)

PRELUDE = """
/* Arrays are row-major. Compile with -DSYMBACKPROP_FLOAT for single precision, with -DSYMBACKPROP_NO_BLAS to do
   without BLAS. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <tgmath.h>

#ifndef SYMBACKPROP_NO_BLAS
#include <cblas.h>
#endif

static inline real larger(real x, real y) { return y > x ? y : x; }
static inline real smaller(real x, real y) { return y < x ? y : x; }
static inline real squared(real x) { return x * x; }
static inline real sign(real x) { return (real)((x > 0) - (x < 0)); }
static inline real sigmoid(real x) { return 1 / (1 + exp(-x)); }
static inline real softplus(real x) { return larger(x, 0) + log1p(exp(-fabs(x))); }

/* c (rows x columns) = a b, each transposed if its flag says so; inner is the size that is summed over. */
static void product(int turn_a, int turn_b, int rows, int columns, int inner, const real *a, const real *b, real *c)
{
    const int step_a = turn_a ? rows : inner, step_b = turn_b ? inner : columns;
#ifdef SYMBACKPROP_NO_BLAS
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            real total = 0;
            for (int k = 0; k < inner; k++)
                total += a[turn_a ? (size_t)k * step_a + i : (size_t)i * step_a + k]
                       * b[turn_b ? (size_t)j * step_b + k : (size_t)k * step_b + j];
            c[(size_t)i * columns + j] = total;
        }
#elif defined(SYMBACKPROP_FLOAT)
    cblas_sgemm(CblasRowMajor, turn_a ? CblasTrans : CblasNoTrans, turn_b ? CblasTrans : CblasNoTrans,
                rows, columns, inner, 1, a, step_a, b, step_b, 0, c, columns);
#else
    cblas_dgemm(CblasRowMajor, turn_a ? CblasTrans : CblasNoTrans, turn_b ? CblasTrans : CblasNoTrans,
                rows, columns, inner, 1, a, step_a, b, step_b, 0, c, columns);
#endif
}
"""


@dataclass(frozen=True)
class CFiles:
    """A source file and its header, as text."""

    source: str
    header: str


class _Writer:
    """The text of one function."""

    def __init__(self, program: Program, stem: str) -> None:
        self.loops = Loops(program, RESERVED | {stem})
        self.names, self.program, self.stem = self.loops.names, program, stem
        model = program.derived.model
        self.inputs: list[Symbol] = [*program.parameters, model.x, model.y]
        self.gradients = {s.symbol.name: s for s in program.steps if s.output}
        self.sizes = {s: self.names.size(s) for s in program.sizes}

    def size(self, value: sympy.Expr) -> str:
        return str(value) if value.is_Integer else self.sizes[value]

    def scalar(self, i: int) -> str:
        return self.names.scalar(self.loops.nodes[i].value).replace("**", "^")

    def value(self, i: int, row: str = "i", column: str = "j") -> str:
        node = self.loops.nodes[i]
        if node.op == "scalar":
            code = self.scalar(i)
            if "^" in code:
                raise Unsupported(f"C code for the scalar {node.value}")
            return f"(real)({code})"
        if self.loops.stands(i) or node.op == "transpose":
            if node.shape is None:
                return self.loops.name(i)
            array, at_row, at_column = self.loops.entry(i, row, column)
            return f"{array}[{self._at(i, at_row, at_column)}]"
        return self.applied(i, row, column)

    def _at(self, i: int, row: str, column: str) -> str:
        """The place of an entry in a row-major array."""
        while self.loops.nodes[i].op == "transpose":
            i = self.loops.nodes[i].args[0]
        _, columns = self.loops.nodes[i].shape or SCALAR
        if row == "0" or columns == ONE:
            return column if row == "0" else row
        return f"(size_t){row} * {self.size(columns)} + {column}"

    def applied(self, i: int, row: str = "i", column: str = "j") -> str:
        node = self.loops.nodes[i]
        return C_OPERATIONS[node.op].format(*(bracketed(self.value(k, row, column)) for k in node.args))

    def kernel(self, kernel: Kernel) -> list[str]:
        name = self.loops.name(kernel.node)
        match kernel:
            case Number(node):
                return [f"const real {name} = {self.applied(node)};"]
            case Elementwise(node, shape):
                target = f"{name}[{self._at(node, *self._zeros(shape))}]"
                return _loops(self._ranges(shape), [f"{target} = {self.applied(node)};"])
            case MatMul(_, shape, inner, args, turned):
                assert isinstance(inner, sympy.Expr)
                sizes = ", ".join(self.size(s) for s in (*shape, inner))
                a, b = (self.loops.name(k) for k in args)
                return [f"product({int(turned[0])}, {int(turned[1])}, {sizes}, {a}, {b}, {name});"]
            case Reduce():
                return self._reduced(name, kernel)

    def _zeros(self, shape: Shape) -> tuple[str, str]:
        return "0" if shape[0] == ONE else "i", "0" if shape[1] == ONE else "j"

    def _ranges(self, shape: Shape) -> tuple[str, str]:
        return self.size(shape[0]), self.size(shape[1])

    def _reduced(self, name: str, kernel: Reduce) -> list[str]:
        rows, columns = self._ranges(kernel.over)
        term = " * ".join(bracketed(self.value(k)) for k in kernel.args)
        if kernel.axis is None:
            return [f"double {name} = 0;", *_loops((rows, columns), [f"{name} += {term};"])]
        outer, inner = (("j", columns), ("i", rows)) if kernel.axis == 0 else (("i", rows), ("j", columns))
        kind = "double" if kernel.kind == "sum" else "real"
        start = "0" if kernel.kind == "sum" else "-INFINITY"
        step = f"total += {term};" if kernel.kind == "sum" else f"total = larger(total, {term});"
        return [
            f"for (int {outer[0]} = 0; {outer[0]} < {outer[1]}; {outer[0]}++) {{",
            f"    {kind} total = {start};",
            f"    for (int {inner[0]} = 0; {inner[0]} < {inner[1]}; {inner[0]}++)",
            f"        {step}",
            f"    {name}[{outer[0]}] = (real)total;",
            "}",
        ]

    def body(self) -> list[str]:
        """The statements of every step, and the copies of what stands elsewhere."""
        lines: list[str] = []
        for step, kernels in self.loops.steps:
            formula = self.names.comment(step.formula).replace("**", "^").replace("*/", "* /")
            lines.append(f"/* {step.name} = {formula} */")
            lines += [u for kernel in kernels for u in self.kernel(kernel)]
            lines += self._closing(step)
        return lines

    def _closing(self, step: Step) -> list[str]:
        node = self.loops.nodes[step.node]
        if step.symbol == self.program.derived.model.cost:
            value = self.value(step.node) if node.shape is None else self.value(step.node, "0", "0")
            return [f"*cost = (real)({value});"]
        if step.output and self.loops.name(step.node) != step.name:
            rows, columns = (self.size(s) for s in step.symbol.shape)
            source = self.loops.name(step.node)
            return [f"for (size_t i = 0; i < (size_t){rows} * {columns}; i++)", f"    {step.name}[i] = {source}[i];"]
        return []

    def signature(self) -> str:
        parts = [f"int {name}" for name in self.sizes.values()]
        parts += [f"const real *{a.name}" for a in self.inputs]
        parts += [f"real {r}" for r in self.names.rates]
        parts += ["real *cost", *(f"real *{self.gradients[name].name}" for name in self.program.wrt)]
        return f"int {self.stem}({', '.join(parts)})"

    def function(self) -> str:
        body = self.body()
        outputs = {s.name for s in self.gradients.values()}
        scratch = {n: s for n, s in self.loops.made.items() if n not in outputs}
        sizes = {n: " * ".join(f"(size_t){self.size(u)}" for u in s) for n, s in scratch.items()}
        head = []
        if scratch:
            head.append(f"real *const room = malloc(({' + '.join(sizes.values())}) * sizeof(real));")
            head.append("if (room == NULL)\n        return 1;")
            at = "room"
            for n in scratch:
                head.append(f"real *const {n} = {at};")
                at = f"{n} + {sizes[n]}"
        unused = [f"(void){a.name};" for a in self.inputs if a.name not in self.program.used]
        unused += [f"(void){n};" for n in self.sizes.values()]
        lines = [*head, *unused, *body, *(["free(room);"] if scratch else []), "return 0;"]
        return f"{self.signature()}\n{{\n" + "".join(f"    {u}\n" for u in lines) + "}\n"


def _loops(ranges: tuple[str, str], body: list[str]) -> list[str]:
    """Both loops; one over a single row or column stands for that index."""
    lines, indent = [], ""
    for index, length in zip("ij", ranges, strict=True):
        if length != "1":
            lines.append(f"{indent}for (int {index} = 0; {index} < {length}; {index}++)")
            indent += "    "
    return [*lines, *(f"{indent}{u}" for u in body)]


def c_files(program: Program, stem: str) -> CFiles:
    """The function called ``stem``, its header ``stem.h``, and a main that checks it under SYMBACKPROP_SELF_TEST."""
    from symbackprop.numeric.c_self_test import self_test

    writer = _Writer(program, stem)
    function = writer.function()
    about = _about(program)
    guard = f"{stem.upper()}_H"
    header = (
        f"/* {about[0]}\n" + "".join(f"   {line}\n" for line in about[1:]) + "*/\n"
        f"#ifndef {guard}\n#define {guard}\n\n#ifdef SYMBACKPROP_FLOAT\ntypedef float real;\n#else\n"
        f'typedef double real;\n#endif\n\n#ifdef __cplusplus\nextern "C" {{\n#endif\n\n'
        f"/* 0, or 1 where there is no memory to work in. */\n{writer.signature()};\n\n"
        f"#ifdef __cplusplus\n}}\n#endif\n#endif\n"
    )
    source = f'#include "{stem}.h"\n{PRELUDE}\n{function}\n{self_test(program, writer.names, writer.sizes, stem)}'
    return CFiles(source, header)


def _about(program: Program) -> list[str]:
    model = program.derived.model
    layers = " -> ".join(f"{u.activation.name} ({u.size})" for u in model.layers)
    mean = "" if model.frame.samples is None else f", mean over {model.frame.samples} samples"
    arrays = [*program.parameters, model.x, model.y]
    shapes = [f"{a.name} ({', '.join(map(str, a.shape))})" for a in arrays]
    return [
        f"{model.loss.name} of the network {model.sizes[0]} -> {layers}{mean}, and its gradients.",
        f"Row-major arrays: {', '.join(shapes)}.",
        f"cost is J; gradients, in the shape of their arrays: {', '.join(program.wrt)}.",
    ]
