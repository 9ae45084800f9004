"""Laws that hold for every problem that comes with the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from kanpde.build import scope_of
from kanpde.cli import main
from kanpde.proof import TOLERANCE, exact_residuals
from kanpde.references import read_reference
from kanpde.spec import read_spec
from kanpde.truth import known_values

FOLDER = Path(__file__).parent.parent / "problems"
GALLERY = {path.stem: read_spec(path) for path in sorted(FOLDER.glob("*.yaml"))}
EXACT = [name for name, spec in GALLERY.items() if spec.exact]
REFERENCES = [name for name, spec in GALLERY.items() if spec.reference]
EVOLVING = [name for name in REFERENCES if GALLERY[name].initial]


def test_every_problem_has_a_known_solution() -> None:
    assert sorted({*EXACT, *REFERENCES}) == sorted(GALLERY) and len(GALLERY) >= 15


@pytest.mark.parametrize("name", EXACT)
def test_exact_solution_leaves_no_residual(name: str) -> None:
    spec = GALLERY[name]
    found = exact_residuals(spec)
    assert len(found) == len(spec.equations) + len(spec.initial) + len(spec.boundary)
    for part in found:
        assert float(part.residual.abs().max()) <= TOLERANCE * part.scale, part.name


@pytest.mark.parametrize("name", EXACT)
def test_exact_solution_of_a_changed_problem_leaves_a_residual(name: str) -> None:
    spec = GALLERY[name]
    first = spec.equations[0]
    path = f"equations.{first.name}{'.is' * bool(first.zone)}"
    found = exact_residuals(read_spec(spec.path, [f"{path}={first.text} + 1e-6"]))
    assert found[0].relative > TOLERANCE and all(part.relative <= TOLERANCE for part in found[1:])


@pytest.mark.parametrize("name", EVOLVING)
def test_reference_starts_from_the_initial_condition(name: str) -> None:
    spec = GALLERY[name]
    assert spec.reference is not None
    samples = read_reference(spec.reference.file, tuple(spec.box))
    points = samples.points(tuple(spec.box))
    first = points[:, list(spec.box).index("t")] == spec.box["t"][0]
    where = torch.as_tensor(points[first].T.copy())
    for condition in spec.initial:
        unknown = condition.name.partition(".")[2]
        known = known_values(condition.equation.right, scope_of(spec), where).numpy()
        difference = samples.fields[unknown].ravel()[first] - known
        assert np.abs(difference).max() <= samples.certified[unknown] * np.abs(known).max() + 1e-15


@pytest.mark.parametrize("name", REFERENCES)
def test_reference_covers_the_domain(name: str) -> None:
    spec = GALLERY[name]
    assert spec.reference is not None
    axes = read_reference(spec.reference.file, tuple(spec.box)).axes
    for coordinate, (low, high) in spec.box.items():
        ends = (axes[coordinate].min(), axes[coordinate].max())
        gap = np.diff(np.sort(axes[coordinate])).max()
        assert low <= ends[0] <= low + gap and high - gap <= ends[1] <= high


@pytest.mark.parametrize("name", GALLERY)
def test_every_problem_passes_its_check(name: str) -> None:
    result = CliRunner().invoke(main, ["check", str(GALLERY[name].path)])
    assert result.exit_code == 0 and not result.stderr, result.output
