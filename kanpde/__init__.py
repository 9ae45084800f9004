"""Partial differential equations solved on physics-informed Kolmogorov-Arnold networks.

    import kanpde

    run = kanpde.solve("poisson.yaml")
    print(run.errors, run.at(x=0.25, y=0.5, fields=["u", "u_x"]))

The names offered here are `solve`, `problem`, `load`, `read_spec`, `read`, `KanpdeError`, `Run`, `Spec`, `Solution`,
`Result` and `__version__`; each is imported when it is first asked for, so that `import kanpde` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kanpde.errors import KanpdeError
    from kanpde.interface import Run, load, problem, solve
    from kanpde.result import Result
    from kanpde.solution import Solution
    from kanpde.spec import Spec, read_spec
    from kanpde.writers import read

__all__ = ["KanpdeError", "Result", "Run", "Solution", "Spec", "load", "problem", "read", "read_spec", "solve"]

HOMES = {
    "KanpdeError": "kanpde.errors",
    "Result": "kanpde.result", "Solution": "kanpde.solution", "Spec": "kanpde.spec", "read": "kanpde.writers",
    "read_spec": "kanpde.spec", "solve": "kanpde.interface", "problem": "kanpde.interface", "load": "kanpde.interface",
    "Run": "kanpde.interface",
}


def __getattr__(name: str) -> Any:
    """A public name, from the module it lives in."""
    if name == "__version__":
        return import_module("kanpde.packages").installed("kanpde")
    if name not in HOMES:
        raise AttributeError(f"module 'kanpde' has no attribute '{name}'")
    return getattr(import_module(HOMES[name]), name)


class Package(ModuleType):
    """This package, in which `solve` stays the function when the module of that name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = Package
