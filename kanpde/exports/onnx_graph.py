"""The trained solution as an ONNX graph, in double precision."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Iterator

import onnxruntime
import torch

from kanpde.errors import KanpdeError
from kanpde.exports.program import program
from kanpde.exports.traced import checked, sample, solution_in
from kanpde.result import Result
from kanpde.writers.atomic import replacing

TOLERANCE = 1e-6


def write(result: Result, target: Path, source: Path) -> Iterator[str]:
    """A file for any ONNX runtime, checked in one; raises KanpdeError where it differs or has no ONNX operators."""
    solution = solution_in(result)
    traced = doubled(program(solution).module())
    with replacing(target) as temporary:
        try:
            convert(traced, torch.as_tensor(sample(solution)[:7]), temporary)
        except torch.onnx.errors.OnnxExporterError as error:
            reason = "has operations that ONNX lacks, as splines on knots or singular functions"
            raise KanpdeError(f"{target}: this solution {reason}; --to torch has them") from error
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    gap = checked(solution, lambda points: session.run(None, {"points": points})[0], TOLERANCE, target)
    names = f"{', '.join(solution.spec.box)} -> {', '.join(solution.spec.unknowns)}"
    yield f"{target}: points -> values: {names}; differs by {gap:.1e} from the solution (relative, largest)"


def convert(module: torch.nn.Module, points: torch.Tensor, target: Path) -> None:
    """The module as a file."""
    shapes = {"points": {0: torch.export.Dim("points", min=1)}}
    logger = logging.getLogger("torch.onnx")
    before, logger.level = logger.level, logging.ERROR
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (points,), target, dynamo=True, dynamic_shapes=shapes, verbose=False, external_data=False,
                input_names=["points"], output_names=["values"],
            )  # fmt: skip
    finally:
        logger.level = before


def doubled(module: torch.fx.GraphModule) -> torch.fx.GraphModule:
    """The same with numbers beside tensors as arrays, since the exporter rounds numbers to single precision."""
    for number, node in enumerate(list(module.graph.nodes)):
        overload = str(getattr(node.target, "_overloadname", ""))
        if node.op != "call_function" or overload != "Tensor":
            continue
        for place, value in enumerate(node.args):
            if isinstance(value, float):
                name = f"number_{number}_{place}"
                module.register_buffer(name, torch.tensor(value, dtype=torch.float64))
                with module.graph.inserting_before(node):
                    node.update_arg(place, module.graph.get_attr(name))
    module.recompile()
    return module
