"""Partial differential equations solved on physics-informed Kolmogorov-Arnold networks.

    from kanpde import read_spec, solve

    solution = solve(read_spec("poisson.yaml"))
    print(solution.errors(), solution.at([[0.25, 0.5]], ["u", "u_x"]))

The names offered here are `read_spec`, `solve`, `Spec`, `Solution`, `Result`, `read` and `__version__`; each is
imported when it is first asked for, so that `import kanpde` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanpde.result import Result
    from kanpde.solution import Solution
    from kanpde.solve import solve
    from kanpde.spec import Spec, read_spec
    from kanpde.writers import read

__all__ = ["Result", "Solution", "Spec", "read", "read_spec", "solve"]

HOMES = {
    "Result": "kanpde.result", "Solution": "kanpde.solution", "Spec": "kanpde.spec", "read": "kanpde.writers",
    "read_spec": "kanpde.spec", "solve": "kanpde.solve",
}


def __getattr__(name: str) -> Any:
    """A public name, from the module it lives in."""
    if name == "__version__":
        return import_module("importlib.metadata").version("kanpde")
    if name not in HOMES:
        raise AttributeError(f"module 'kanpde' has no attribute '{name}'")
    return getattr(import_module(HOMES[name]), name)


class Package(ModuleType):
    """This package, in which `solve` stays the function when the module of that name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = Package
