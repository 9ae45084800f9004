"""A batch of the smallest problems there are."""

from __future__ import annotations

from pathlib import Path

PROBLEM = """\
title: A hanging <b>chain</b>
unknowns: [u]
domain: {x: [0, 1]}
definitions: {k: 1}
equations: {line: u_xx = k}
boundary: {left: u = 0, right: u = 0}
exact: {u: k*x*(x - 1)/2}
network: {width: 8}
output: {grid: 5}
training: {threads: 1}
"""
LONG = """\
unknowns: [u]
domain: {x: [0, 1]}
equations: {line: u_xx + u^3 = 1}
boundary: {left: u = 0, right: u = 0}
network: {basis: chebyshev, degree: 3, width: 3, depth: 2}
sampling: {interior: 20}
training: {threads: 1, checkpoint: 1, stages: [{optimiser: adam, steps: 1000000}], stop: {time: 30}}
output: {grid: 5}
"""
FAILING = "training.device=cuda:97"


def small_sweep(folder: Path, text: str, problem: str = PROBLEM) -> Path:
    """A sweep file over the problem chain.yaml."""
    (folder / "chain.yaml").write_text(problem, encoding="utf-8")
    (folder / "sweep.yaml").write_text(text, encoding="utf-8")
    return folder / "sweep.yaml"
