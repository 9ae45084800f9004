"""Whether a formula is affine in the unknowns, told from its tree."""

from __future__ import annotations

from kanpde.evaluation import Scope
from kanpde.expression import Binary, Call, Derivative, Name, Negative, Number, Tree


def degree(tree: Tree, scope: Scope) -> int:
    """0 when free of the unknowns, 1 when affine in them, 2 when not."""
    if scope.free_of_unknowns(tree):
        return 0
    if isinstance(tree, Name):
        return 1 if tree.name in scope.unknowns else degree(scope.definitions[tree.name], scope)
    if isinstance(tree, (Negative, Derivative)):
        return degree(tree.argument, scope)
    if isinstance(tree, Binary):
        left, right = degree(tree.left, scope), degree(tree.right, scope)
        return {"+": max(left, right), "-": max(left, right), "*": left + right, "/": left if not right else 2}.get(tree.operator, 2) \
            if left + right <= 2 else 2
    return 2
