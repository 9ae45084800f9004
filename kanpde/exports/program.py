"""The trained solution as a program of torch.export, which runs without kanpde."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Iterator

import torch

from kanpde.exports.traced import Function, checked, sample, solution_in
from kanpde.result import Result
from kanpde.solution import Solution
from kanpde.writers.atomic import write_bytes

TOLERANCE = 1e-12


def write(result: Result, target: Path, source: Path) -> Iterator[str]:
    """A file for torch.export.load, checked after reading it back; raises KanpdeError where it differs."""
    solution = solution_in(result)
    stream = BytesIO()
    torch.export.save(program(solution), stream)
    write_bytes(target, stream.getvalue())
    again = torch.export.load(target).module()
    gap = checked(solution, lambda points: again(torch.as_tensor(points)).detach().numpy(), TOLERANCE, target)
    names = f"{', '.join(solution.spec.box)} -> {', '.join(solution.spec.unknowns)}"
    yield f"{target}: {names}; differs by {gap:.1e} from the solution (relative, largest)"


def program(solution: Solution) -> torch.export.ExportedProgram:
    """points [M, d] -> values [M, unknowns] for any number of points."""
    points = torch.as_tensor(sample(solution)[:7])
    shapes = {"points": {0: torch.export.Dim("points", min=1)}}
    function = Function(solution).eval()
    with torch.no_grad():
        function(points)  # what is computed once, as knots of splines, must not be computed first while tracing
        return torch.export.export(function, (points,), dynamic_shapes=shapes, strict=False)
