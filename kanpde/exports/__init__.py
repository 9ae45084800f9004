"""A run in the formats of other programs: one small file each, and one line here.

Each module has `write(result, target, source)`: it writes `target`, and yields lines that say what came of it;
`source` is the result's own file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping


@dataclass(frozen=True)
class Export:
    """A format: the file's name unless another is given, what it is, its module, and the packages that this needs."""

    file: str
    meaning: str
    home: str
    needs: tuple[str, ...] = ()


EXPORTS: Mapping[str, Export] = {
    "csv": Export("solution.csv", "a table of the fields, a row for each grid point", "kanpde.exports.table"),
    "npz": Export("solution.npz", "NumPy arrays", "kanpde.exports.arrays"),
    "vtk": Export("solution.vtr", "fields on a grid for any ParaView; in time solution.pvd", "kanpde.exports.vtk_xml"),
    "xdmf": Export("solution.xdmf", "a small file by which old ParaViews read solution.h5", "kanpde.exports.xdmf"),
    "torch": Export("solution.pt2", "the solution as a function, by torch.export", "kanpde.exports.program"),
    "onnx": Export("solution.onnx", "the solution as a function, ONNX", "kanpde.exports.onnx_graph",
                   ("onnx", "onnxscript", "onnxruntime")),
}  # fmt: skip
