"""What to do after a run: a sentence for each way in which one ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Mapping

from kanpde.result import Outcome, Result

HALF = 0.5  # of all losses: then one of them dominates


def next_step(result: Result, run: Path) -> str:
    """The command, or the change, that most likely helps; `run` is the folder."""
    step = STEPS[result.outcome]
    return (look if "pruned" in result.summary and step in (go_on, resume) else step)(result, run)


def look(result: Result, run: Path) -> str:
    """A solution that may be used."""
    return f"kanpde eval {run} --at points.csv, kanpde export {run} --to vtk, or kanpde formula {run}"


def go_on(result: Result, run: Path) -> str:
    """A limit ended it."""
    limit = seconds(result)
    return f"kanpde solve --resume {run} --set training.stop.time={max(2 * limit, 60):.0f}"


def resume(result: Result, run: Path) -> str:
    """A person ended it."""
    return f"kanpde solve --resume {run} goes on where it stopped"


def refine(result: Result, run: Path) -> str:
    """What is too coarse, or has not been trained for long enough."""
    name, share = dominant(result)
    head = f"{share:.0%} of the loss is that of {name}; " if share > HALF and name else ""
    return f"{head}try {richer(result)}, or more time: --set training.stop.time={max(3 * seconds(result), 60):.0f}"


def doubt(result: Result, run: Path) -> str:
    """What may be wrong with the problem, or too coarse."""
    return f"{refine(result, run)}; kanpde check {result.spec_name} tells whether conditions are missing or disagree"


def determine(result: Result, run: Path) -> str:
    """Constants that the readings do not determine."""
    return "fit fewer constants, narrow their `range`, or give readings where the solution depends on them"


def readings(result: Result, run: Path) -> str:
    """Readings that no solution fits."""
    return "look at `sigma`, the columns and the units of the readings, or at what the equations leave out"


def steadier(result: Result, run: Path) -> str:
    """What was not finite."""
    return "look for a logarithm, root or quotient that is not defined everywhere; kanpde check --plot shows the points"


def seconds(result: Result) -> float:
    """How long the run took."""
    column = result.history.get("seconds", ())
    return float(column[-1]) if len(column) else 0.0


def dominant(result: Result) -> tuple[str, float]:
    """The block with the largest loss at the end, and its share of all."""
    last = {name.removeprefix("loss_"): float(column[-1]) for name, column in result.history.items()
            if name.startswith("loss_") and len(column)}  # fmt: skip
    losses = {name: value for name, value in last.items() if 0 < value < float("inf")}
    if len(losses) < 2:
        return "", 0.0
    name = max(losses, key=lambda key: losses[key])
    return name, losses[name] / sum(losses.values())


def richer(result: Result) -> str:
    """A network with twice the nodes, where it has hidden ones."""
    widths = hidden(result.network)
    return f"a wider network: --set network.width={2 * max(widths)}" if widths else "--set network.basis=separable"


def hidden(network: Mapping[str, Any]) -> list[int]:
    """The widths of all hidden layers of ramps and deep networks."""
    found = []
    for branch in network.get("branches", {}).values() if isinstance(network.get("branches"), Mapping) else ():
        layers = branch.get("layers", {})
        names = sorted(layers, key=int)
        found += [int(layers[name]["outputs"]) for name in names[:-1] if "outputs" in layers[name]]
    return found


STEPS: Mapping[Outcome, Callable[[Result, Path], str]] = {
    Outcome.CONVERGED: look,
    Outcome.FINISHED: look,
    Outcome.LIMIT: go_on,
    Outcome.STAGNATED: refine,
    Outcome.INACCURATE: refine,
    Outcome.SUSPICIOUS: doubt,
    Outcome.UNRESOLVED: refine,
    Outcome.UNSETTLED: determine,
    Outcome.UNDETERMINED: determine,
    Outcome.MISFIT: readings,
    Outcome.DIVERGED: steadier,
    Outcome.INTERRUPTED: resume,
}
