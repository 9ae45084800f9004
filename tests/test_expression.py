"""Laws of the parser: what it reads, it writes; it binds as Python binds; it refuses the rest at a column."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanpde.expression import (
    Binary,
    Call,
    Derivative,
    ExpressionError,
    Name,
    Negative,
    Number,
    Tree,
    Vector,
    constant,
    free_names,
    parse,
    parse_equation,
    show,
    walk,
)
from kanpde.vocabulary import CONSTANTS, FUNCTIONS

names = st.sampled_from(["x", "y", "u", "u_xx", "nu", "pi", "rho_0"])
numbers = st.floats(min_value=0, max_value=1e300, allow_nan=False, allow_infinity=False).map(Number)


def larger(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Trees one level higher than the given ones."""
    return st.one_of(
        trees.map(Negative),
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "^"]), trees, trees),
        st.builds(Call, st.sampled_from(sorted(FUNCTIONS)), st.lists(trees, max_size=3).map(tuple)),
        st.builds(Call, st.just("p"), st.just(()), st.tuples(st.tuples(st.just("x"), trees))),
        st.builds(lambda a, b, c, d: Call("where", (Binary("<=", a, b), c, d)), trees, trees, trees, trees),
        st.lists(trees, min_size=2, max_size=3).map(tuple).map(Vector),
    )


trees = st.recursive(st.one_of(numbers, names.map(Name)), larger, max_leaves=15)


@given(trees)
@settings(max_examples=200, deadline=None)
def test_what_is_shown_reads_back_as_the_same_tree(tree: Tree) -> None:
    assert parse(show(tree)) == tree


@given(st.text(alphabet="xu_12.e+-*/^()=<>, \t²νλ'", max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused_at_a_column(text: str) -> None:
    for read in (parse, parse_equation):
        try:
            read(text)
        except ExpressionError as error:
            assert 0 <= error.column <= len(text) and error.message


@pytest.mark.parametrize(
    "text",
    [
        "1 + 2*3 - 4/5",
        "2^3^2",
        "-2^2",
        "2^-1",
        "2^-2^2",
        "-3*-2",
        "- -3",
        "+3 - +2",
        "8/4/2",
        "8 - 4 - 2",
        "(1 + 2)*3",
        "-(1 + 2)^2",
        "2*3^2*4",
        "2**3**0.5",
        ".5 + 1. + 1e-3 + 2E+2",
        "1 - -x^2/y*3",
        "sin(x)^2 + cos(x)**2",
        "atan2(y, x) - min(x, y)*max(1, 2)",
        "sqrt(abs(-x)) + exp(-y)",
    ],
)
def test_operators_bind_as_in_python(text: str) -> None:
    values = {"x": 0.7, "y": 1.9}
    functions = {name: FUNCTIONS[name].scalar for name in ("sin", "cos", "atan2", "min", "max", "sqrt", "abs", "exp")}
    expected = eval(text.replace("^", "**"), {"__builtins__": {}}, {**functions, **values})
    assert constant(parse(text), values) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.01/pi", 0.01 / math.pi),
        ("log(e)", 1.0),
        ("where(1 < 2, 3, 4)", 3.0),
        ("where(1 >= 2, 3, 4)", 4.0),
        ("mod(-1, 3)", 2.0),
        ("sign(-2) + heaviside(0)", -0.5),
        ("erf(0) + tanh(0)", 0.0),
    ],
)
def test_constants_have_their_value(text: str, value: float) -> None:
    assert constant(parse(text), CONSTANTS) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9^9^9^9", "too large"),
        ("exp(1000)", "too large"),
        ("1e200*1e200", "too large"),
        ("1/0", "division by zero"),
        ("0^-1", "not a real number"),
        ("(-8)^(1/3)", "not a real number"),
        ("sqrt(-1)", "not a real number"),
        ("x", "'x' is not a constant"),
        ("lap(1)", "'lap' is not a constant"),
        ("(1, 2)", "not a constant"),
    ],
)
def test_what_has_no_value_is_refused(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        constant(parse(text), CONSTANTS)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 0, "empty"),
        ("2x", 1, "operator is missing"),
        ("2(x)", 1, "operator is missing"),
        ("(x)(y)", 3, "operator is missing"),
        ("x y", 2, "operator is missing"),
        ("sin(x", 3, "never closed"),
        ("x)", 1, "no matching"),
        ("x +", 3, "ends too early"),
        ("x + * y", 4, "missing before '*'"),
        ("()", 0, "nothing between"),
        ("x²", 1, r"\^2"),
        ("∂u", 0, "u_x"),
        ("ν*u", 0, "nu"),
        ("a < b < c", 6, "chained"),
        ("x = 1", 2, "without '='"),
        ("1e999", 0, "too large"),
        ("x.y", 1, "no meaning"),
        ("x[0]", 1, "no meaning|write"),
        ("'x'", 0, "no meaning"),
        ("(" * 101 + "x" + ")" * 101, 100, "nested"),
        ("x^" * 150 + "x", 200, "nested"),
        ("+".join("x" * 300), None, "in a row"),
        ("x" * 10_001, 0, "characters"),
    ],
)
def test_faults_are_named_at_their_column(text: str, column: int | None, message: str) -> None:
    with pytest.raises(ExpressionError, match=message.replace("*", r"\*")) as caught:
        parse(text)
    assert column is None or caught.value.column == column


@pytest.mark.parametrize("text", ["u", "u = 1 = 2", "u == 1", "= 1", "u =", "", "where(x == 0, 1, 2)"])
def test_an_equation_has_one_equals_sign_and_two_sides(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_equation(text)


def test_columns_count_from_the_start_of_the_text() -> None:
    left, right = parse_equation("u_t + f(x) = mu*u")
    assert [(part.name, part.column) for part in walk(right) if isinstance(part, Name)] == [("mu", 13), ("u", 16)]
    assert free_names(left) == {"u_t", "x"}


def test_derivatives_are_shown_as_they_are_written() -> None:
    assert show(Derivative(Name("u"), ("x", "y"))) == "u_xy"
    assert show(Derivative(Binary("*", Name("k"), Name("u")), ("x",))) == "d(k*u, x)"
    assert show(Derivative(Name("u"), ("xi", "x"))) == "d(u, xi, x)"
