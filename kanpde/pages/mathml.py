"""Formulas as MathML, which browsers set like a paper."""

from __future__ import annotations

from html import escape
from typing import Callable, Mapping, Sequence

from kanpde.tree import Binary, Call, Derivative, Name, Negative, Number, Tree, Vector

BINDING = {**dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 1), "+": 2, "-": 2, "*": 3, "/": 3, "^": 5}
MINUS, WHOLE = 3, 6  # how tightly a minus sign in front binds, and what needs no brackets
SIGNS = {"-": "−", "<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}
GREEK = dict(
    alpha="α", beta="β", gamma="γ", delta="δ", epsilon="ε", eps="ε", zeta="ζ", eta="η", theta="θ", kappa="κ", lam="λ",
    mu="μ", nu="ν", xi="ξ", pi="π", rho="ρ", sigma="σ", tau="τ", phi="φ", chi="χ", psi="ψ", omega="ω", Omega="Ω",
    Gamma="Γ", Delta="Δ", Theta="Θ", Lambda="Λ", Sigma="Σ", Phi="Φ", Psi="Ψ",
)  # fmt: skip
WITHIN = "within@"  # before the name of a region in conditions
PREFIXES = {
    "lap": "<mi>Δ</mi>", "grad": "<mo>∇</mo>", "biharm": "<msup><mi>Δ</mi><mn>2</mn></msup>",
    "div": "<mo>∇</mo><mo>·</mo>", "curl": "<mo>∇</mo><mo>×</mo>", "dn": "<msub><mo>∂</mo><mi>n</mi></msub>",
    "integral": "<mo>∫</mo>",
}  # fmt: skip
FENCES = {"abs": ("|", "|"), "jump": ("⟦", "⟧"), "mean": ("⟨", "⟩")}


def equation(left: Tree, right: Tree) -> str:
    """Two formulas with a sign of equality between them."""
    return f'<math display="inline">{row(set_(left, 2), sign("="), set_(right, 2))}</math>'


def formula(tree: Tree) -> str:
    """One formula."""
    return f'<math display="inline">{set_(tree, 0)}</math>'


def set_(tree: Tree, binding: int) -> str:
    """A formula, in brackets where what is around it binds more tightly."""
    match tree:
        case Number(value=value):
            return bracketed(number(value), value < 0 and binding > MINUS)
        case Name(name=name):
            return named(name)
        case Negative(argument=argument):
            return bracketed(row(sign("−"), set_(argument, MINUS + 1)), binding > MINUS - 1)
        case Binary(operator="/", left=left, right=right):
            return bracketed(f"<mfrac>{set_(left, 0)}{set_(right, 0)}</mfrac>", binding > BINDING["/"] + 1)
        case Binary(operator="^", left=left, right=right):
            return bracketed(f"<msup>{row(set_(left, WHOLE))}{set_(right, 0)}</msup>", binding > BINDING["^"])
        case Binary(operator=symbol, left=left, right=right):
            needed = BINDING[symbol] < binding or (begins_with_minus(tree) and binding > BINDING["-"])
            return bracketed(binary(symbol, left, right), needed)
        case Call(function=function, arguments=arguments, keywords=keywords):
            given = [row(f"<mi>{escape(name)}</mi>", sign("="), set_(value, 0)) for name, value in keywords]
            return bracketed(call(function, arguments, given), function in PREFIXES and binding > BINDING["*"] + 1)
        case Derivative(argument=argument, axes=axes):
            if isinstance(argument, Name):
                return f"<msub>{named(argument.name)}{row(*map(named, axes))}</msub>"
            return bracketed(derived(argument, axes), binding > BINDING["*"] + 1)
        case Vector(components=components):
            return fenced("(", ")", *components)


def binary(symbol: str, left: Tree, right: Tree) -> str:
    """A sum, a product or a comparison; between two numbers a product has its sign."""
    own = BINDING[symbol]
    if symbol == "*":
        between = sign("·") if begins_with_number(right) else "<mo>&#8290;</mo>"
        return row(set_(left, BINDING["-"] if begins_with_minus(left) else own), between, set_(right, own + 1))
    return row(set_(left, own), sign(SIGNS.get(symbol, symbol)), set_(right, own + 1))


def begins_with_minus(tree: Tree) -> bool:
    """Whether the first thing of a product is a minus sign."""
    while isinstance(tree, Binary) and tree.operator == "*":
        tree = tree.left
    return isinstance(tree, Negative)


def begins_with_number(tree: Tree) -> bool:
    """Whether the first thing of a formula is a number."""
    while isinstance(tree, Binary) and tree.operator != "/":
        tree = tree.left
    return isinstance(tree, (Number, Binary))


def call(function: str, arguments: Sequence[Tree], given: Sequence[str]) -> str:
    """A function or an operator with its arguments."""
    if function in FENCES:
        return fenced(*FENCES[function], *arguments)
    if function in SPECIAL and not given:
        return SPECIAL[function](arguments)
    if function in PREFIXES and len(arguments) == 1:
        return row(PREFIXES[function], set_(arguments[0], BINDING["*"] + 1))
    inside = sign(",").join([*(set_(one, 0) for one in arguments), *given])
    return row(PREFIXES.get(function) or named(function), "<mo>&#8289;</mo>", bracketed(inside, True))


def cases(arguments: Sequence[Tree]) -> str:
    """A choice: what holds in the first case, and what else."""
    condition, first, other = arguments
    match condition:
        case Binary(operator=">", left=Call(function=function)) if function.startswith(WITHIN):
            when = f"<mtext>in {escape(function.removeprefix(WITHIN))}</mtext>"
        case _:
            when = row("<mtext>if&#160;</mtext>", set_(condition, 0))
    lines = ((set_(first, 0), when), (set_(other, 0), "<mtext>else</mtext>"))
    rows = "".join(f"<mtr><mtd>{value}</mtd><mtd>{words}</mtd></mtr>" for value, words in lines)
    return row('<mo stretchy="true">{</mo>', f"<mtable>{rows}</mtable>")


def derived(argument: Tree, axes: Sequence[str]) -> str:
    """The derivative of a formula along some coordinates."""
    return row(f"<msub><mo>∂</mo>{row(*map(named, axes))}</msub>", set_(argument, WHOLE))


SPECIAL: Mapping[str, Callable[[Sequence[Tree]], str]] = {
    "sqrt": lambda arguments: f"<msqrt>{set_(arguments[0], 0)}</msqrt>",
    "exp": lambda arguments: f"<msup><mi>e</mi>{set_(arguments[0], 0)}</msup>",
    "where": cases,
    "d": lambda arguments: derived(arguments[0], [one.name for one in arguments[1:] if isinstance(one, Name)]),
    "dot": lambda arguments: row(set_(arguments[0], 4), sign("·"), set_(arguments[1], 4)),
}


def number(value: float) -> str:
    """A number, with a power of ten where it is very large or small."""
    digits, _, power = f"{value:.15g}".partition("e")
    shown = f"<mn>{digits.replace('-', '−')}</mn>"
    return shown if not power else row(shown, sign("·"), f"<msup><mn>10</mn><mn>{int(power)}</mn></msup>")


def named(name: str) -> str:
    """A name: Greek where it says so, an index after an underscore, a component of the normal, a region after @."""
    if name.startswith("normal."):
        return f"<msub><mi>n</mi><mi>{escape(name[7:])}</mi></msub>"
    base, mark, index = name.partition("@") if "@" in name else name.partition("_")
    if mark and base and index:
        return f"<msub>{named(base)}{f'<mtext>{escape(index)}</mtext>' if mark == '@' else named(index)}</msub>"
    return f"<mi>{escape(GREEK.get(name, name))}</mi>"


def fenced(left: str, right: str, *parts: Tree) -> str:
    """Formulas between two signs."""
    inside = sign(",").join(set_(part, 0) for part in parts)
    return row(fence(left, inside), inside, fence(right, inside))


def bracketed(content: str, needed: bool) -> str:
    """Something in round brackets, if they are needed."""
    return row(fence("(", content), content, fence(")", content)) if needed else content


def fence(text: str, content: str) -> str:
    """A bracket, as tall as what it holds only where that is tall."""
    tall = any(name in content for name in ("<mfrac", "<mtable", "<msqrt"))
    return f'<mo stretchy="{"true" if tall else "false"}">{text}</mo>'


def sign(text: str) -> str:
    """A sign."""
    return f"<mo>{escape(text)}</mo>"


def row(*parts: str) -> str:
    """Parts side by side."""
    return f"<mrow>{''.join(parts)}</mrow>"
