"""The program from Python: problems, runs, and what can be asked of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence, Union

import numpy as np
import yaml
from matplotlib.figure import Figure
from rich.console import Console

from kanpde.errors import KanpdeError
from kanpde.estimates import Estimates
from kanpde.presentation import html
from kanpde.progress import VIEWS, view_for
from kanpde.report import show
from kanpde.result import FieldError, Outcome, Result
from kanpde.solution import Solution, restored
from kanpde.solve import solve as solution_of
from kanpde.spec import Spec, read_spec, read_spec_text
from kanpde.writers import read, write_run
from kanpde.writers.figures import figure, picture_of

Stated = Union[str, Path, Spec, Mapping[str, Any]]
WIDE = 10**9  # letters on a line of YAML, so that formulas stay whole


@dataclass(frozen=True, repr=False)
class Run:
    """A solved problem: the solution as a function, the result as arrays, and how it came about."""

    solution: Solution
    result: Result

    @property
    def spec(self) -> Spec:
        """The problem."""
        return self.solution.spec

    @property
    def outcome(self) -> Outcome:
        """How the run ended."""
        return self.result.outcome

    @property
    def errors(self) -> Mapping[str, FieldError]:
        """The true error of each unknown whose solution is known."""
        return self.result.errors

    @property
    def estimated(self) -> Mapping[str, FieldError]:
        """The estimated error of each unknown and fitted quantity."""
        return self.result.estimated

    @property
    def fit(self) -> Estimates | None:
        """What is fitted, with intervals, where something is."""
        return self.result.estimates

    @property
    def history(self) -> Mapping[str, np.ndarray]:
        """Steps, seconds, losses, residuals and errors, a column each."""
        return self.result.history

    def at(
        self, points: Any = None, fields: Sequence[str] = (), **coordinates: Any
    ) -> dict[str, np.ndarray]:
        """Fields, derivatives or expressions at points [M, d], or at coordinates by name, of one shape or broadcast.

        NaN outside of the domain. Raises KanpdeError for an expression that cannot be read, or other coordinates.
        """
        names = tuple(self.spec.box)
        fields = (fields,) if isinstance(fields, str) else tuple(fields)
        if points is not None and not coordinates:
            places = np.asarray(points, float)
            if places.ndim != 2 or places.shape[1] != len(names):
                raise KanpdeError(f"points of shape {places.shape}; expected [M, {len(names)}]: {', '.join(names)}")
            return self.solution.at(places, fields)
        if points is not None or set(coordinates) != set(names):
            raise KanpdeError(f"give points, or all of {', '.join(f'{name}=' for name in names)}")
        axes = np.broadcast_arrays(*(np.asarray(coordinates[name], float) for name in names))
        found = self.solution.at(np.stack([axis.ravel() for axis in axes], axis=1), fields)
        return {name: values.reshape(axes[0].shape) for name, values in found.items()}

    def to_xarray(self) -> Any:
        """The fields on the output grid as an xarray.Dataset, with units and words where the problem has them."""
        try:
            xarray = import_module("xarray")
        except ModuleNotFoundError:
            raise KanpdeError("this needs xarray: pip install 'kanpde[readers]'") from None
        known, axes = self.result.quantities, tuple(self.result.axes)
        words, units = known.labels, known.units
        about = {name: {"long_name": words.get(name, name), "units": units.get(name, "1")} for name in axes}
        fields = {
            name: (axes, one.values, {"kind": one.kind, "of": one.of, "units": units.get(one.of, "1"),
                                      "long_name": one.label or words.get(name, name)})
            for name, one in self.result.fields.items()
        }  # fmt: skip
        coordinates = {name: (name, axis, about[name]) for name, axis in self.result.axes.items()}
        attributes = {"title": self.result.title, "outcome": self.outcome.name.lower(), "source": "kanpde"}
        return xarray.Dataset(fields, coordinates, attributes)

    def plot(self, name: str = "solution") -> Picture:
        """A picture by its name: solution, error, estimate, residual, points, history and others.

        Raises KanpdeError where there is none.
        """
        return Picture(figure(self.result, name))

    def save(self, folder: str | Path) -> tuple[Path, ...]:
        """Write the run's files into a folder, as the command does."""
        return write_run(self.result, Path(folder), self.spec.output.save)

    def __repr__(self) -> str:
        errors = self.errors or self.estimated
        told = ", ".join(f"{name}: {one.relative_l2:.1e} ({one.against})" for name, one in errors.items())
        return f"<{self.result.title}: {self.outcome.name.lower()}{'; ' + told if told else ''}>"

    def __rich__(self) -> Any:
        return show(self.result)

    def _repr_html_(self) -> str:
        return html(self.result, {"solution": self.plot().png()} if self.result.fields else {})

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}


@dataclass(frozen=True)
class Picture:
    """A figure that notebooks show by themselves."""

    figure: Figure

    def png(self) -> bytes:
        """The picture as PNG."""
        return picture_of(self.figure)

    def save(self, path: str | Path) -> Path:
        """Write the picture as PNG."""
        Path(path).write_bytes(self.png())
        return Path(path)

    def _repr_png_(self) -> bytes:
        return self.png()


def problem(**sections: Any) -> Spec:
    """The problem stated by the sections of a problem file; raises SpecError with the place in the text they make.

    problem(unknowns=["u"], domain={"x": [0, 1]}, equations={"line": "u_xx = 0"}, boundary={"left": "u = 0", …})
    """
    text = yaml.safe_dump(plain(sections), sort_keys=False, allow_unicode=True, width=WIDE)
    return read_spec_text(text, "problem.yaml", Path.cwd())


def solve(
    stated: Stated, settings: Mapping[str, Any] | None = None, *, progress: bool = False,
    watch: Callable[[Any], None] | None = None,
) -> Run:  # fmt: skip
    """Solve a problem: the path of its file, a Spec, or the sections of one as a dictionary.

    `settings` override entries by path, as {"network.width": 600}. With `progress` the run is shown as it goes on; else
    `watch` is called after each step. An interrupt gives the solution that was reached. Raises SpecError for mistakes.
    """
    spec = stated_in(stated, tuple(f"{path}={written(value)}" for path, value in (settings or {}).items()))
    if not progress:
        solution = solution_of(spec, watch or (lambda step: None))
        return Run(solution, solution.tabulate())
    console = Console(file=sys.stderr)
    with VIEWS[view_for(console)](console) as shown:
        solution = solution_of(spec, shown)
    return Run(solution, solution.tabulate())


def load(run: str | Path) -> Run:
    """A run from its folder or its solution.h5; raises ResultError where it cannot be read."""
    result = read(run)
    return Run(restored(result), result)


def stated_in(stated: Stated, overrides: tuple[str, ...]) -> Spec:
    """The problem with some entries overridden."""
    if isinstance(stated, Mapping):
        stated = problem(**stated)
    if not isinstance(stated, Spec):
        return read_spec(stated, overrides)
    if not overrides:
        return stated
    return read_spec_text(stated.text, str(stated.path), stated.path.parent, (*stated.overrides, *overrides))


def written(value: Any) -> str:
    """A value as it stands in a problem file."""
    if isinstance(value, str):
        return value
    text = yaml.safe_dump(plain(value), default_flow_style=True, width=WIDE)
    return text.removesuffix("...\n").strip()


def plain(value: Any) -> Any:
    """Lists for tuples and arrays, Python's numbers for NumPy's."""
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return plain(value.tolist()) if isinstance(value, (np.ndarray, np.generic)) else value
