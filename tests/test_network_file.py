"""Network files: what is read, and one line with a place for whatever is wrong."""

import pytest

from symbackprop.errors import FileError
from symbackprop.network_file import load_network

GOOD = """\
inputs = "n_0"
batch  = "m"
loss   = "binary_cross_entropy"
layers = [
  { units = "n_1", activation = "sigmoid" },
  { units = 2, activation = "sigmoid", bias = false },
]
samples = "rows"
weights = "in x out"
l2 = "lambda"
[notation]
layer = "[l]"
first = 2
[notation.names]
target = "y_d"
[symbols]
A = "q x n"
"""


@pytest.fixture
def read(tmp_path):
    def read(text, mode="w"):
        path = tmp_path / "net.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_network(path)

    return read


def test_a_whole_file(read):
    net = read(GOOD)
    assert list(net.derive().gradients) == ["W1", "b1", "W2"]
    assert (net.samples, net.weights, net.notation.layer, net.notation.first) == ("rows", "in x out", "[l]", 2)
    assert net.notation.names == {"target": "y_d"}


# What is changed in the good file, where the error must point, and a piece of what it must say.
WRONG = [
    ('"n_0"', "0", (1, 10), "inputs is 0: it must be at least 1"),
    ('"n_0"', "-3", (1, 10), "inputs is -3"),
    ('"n_0"', "1.5", (1, 10), "inputs must be a name or a positive whole number, not 1.5"),
    ('"n_0"', "true", (1, 10), "inputs must be a name"),
    ('"n_0"', "\"__import__('os')\"", (1, 10), "is no name"),
    ('"n_0"', '"X"', (1, 10), "is the name of something else"),
    ('"m"', '"n_0"', (2, 10), "names both the batch and a number of units"),
    ('"m"', "0", (2, 10), "batch is 0"),
    ('"binary_cross_entropy"', '"binary_crossentropy"', (3, 10), "did you mean binary_cross_entropy?"),
    ('"binary_cross_entropy"', "7", (3, 10), "loss must be a name"),
    ('"n_1", activation = "sigmoid"', '"n_1", activation = "sigmod"', (5, 33), "did you mean sigmoid?"),
    ('"n_1", activation = "sigmoid"', '"n_1", activation = "zzz"', (5, 33), "known are identity, sigmoid"),
    ('units = "n_1", ', "", (5, 3), "a layer without units"),
    ('{ units = "n_1", activation = "sigmoid" }', '"n_1"', (5, 3), "a layer must be a table"),
    ("bias = false", "bias = 1", (6, 47), "bias must be true or false"),
    ("bias = false", "biass = false", (6, 40), "unknown key 'biass': did you mean bias?"),
    ('"rows"', '"row"', (8, 11), "samples is 'row': it must be 'columns' or 'rows'"),
    ('"in x out"', "3", (9, 11), "weights is 3"),
    ('"lambda"', "-0.1", (10, 6), "l2 is -0.1: a penalty rate is above 0"),
    ('"lambda"', "nan", (10, 6), "l2 is nan"),
    ("l2 =", "l3 =", (10, 1), "unknown key 'l3'"),
    ('"[l]"', '"{l}"', (12, 9), "notation.layer is '{l}'"),
    ("first = 2", "first = -1", (13, 9), "notation.first is -1"),
    ("first = 2", "frist = 2", (13, 1), "unknown key 'frist'"),
    ('"y_d"', r'"\\input{/etc/passwd}"', (15, 10), "it must be one letter"),
    ('"y_d"', '"</script>"', (15, 10), "it must be one letter"),
    ("target = ", "taget = ", (15, 1), "did you mean target?"),
    ('A = "q x n"', "A = 3", (17, 5), "a symbol has a shape in quotes"),
    ("samples =", "samples", (8, 9), "not TOML"),
]


@pytest.mark.parametrize(("old", "new", "place", "says"), WRONG)
def test_one_line_with_a_place(read, old, new, place, says):
    assert old in GOOD
    with pytest.raises(FileError) as caught:
        read(GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert says in message
    assert "\n" not in message
    assert tuple(caught.value.position) == place
    assert f"net.toml:{caught.value.position.line}:{caught.value.position.column}: error: " in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ('inputs = "n_0"\nloss = "generic"\n', "layers is missing: add layers = ["),
        ('inputs = "n_0"\nlayers = []\nloss = "generic"\n', "at least one layer"),
        ('inputs = "n_0"\nlayers = "two"\nloss = "generic"\n', "layers must be a list"),
        ("hello world\n", "not TOML"),
        (b"\xff\xfe\x00", "not a text in UTF-8"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested"),
        ("inputs = " + "9" * 5000, "not TOML"),
        ("inputs = 3\n" * 200_000, "a network file has at most"),
    ],
    ids=lambda v: repr(v)[:20],
)
def test_files_that_are_no_networks(read, text, says):
    with pytest.raises(FileError) as caught:
        read(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_softmax_with_binary_cross_entropy_is_refused_where_the_activation_stands(read):
    text = 'inputs = 3\nloss = "binary_cross_entropy"\nlayers = [{ units = 2, activation = "softmax" }]\n'
    with pytest.raises(FileError, match="use cross_entropy with softmax") as caught:
        read(text)
    assert tuple(caught.value.position) == (3, 37)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match=r"nothing\.toml: error: there is no such file"):
        load_network(tmp_path / "nothing.toml")
    with pytest.raises(FileError, match="this is a folder"):
        load_network(tmp_path)
    with pytest.raises(FileError, match="cannot be read"):
        load_network("a\0b")
