"""Examples under the help of each command, and the words that were probably meant."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import click

from kanpde.names import closest

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    "new": {"kanpde new heat": "write heat.yaml to start from"},
    "check": {
        "kanpde check heat.yaml": "prove the problem and say what a run will do",
        "kanpde check problems/*.yaml --fast": "read many files only",
        "kanpde check plate.yaml --plot": "draw the domain with its named sides",
    },
    "solve": {
        "kanpde solve heat.yaml": "into outputs/heat-001",
        "kanpde solve heat.yaml --set network.width=600 --set training.seed=1": "with other settings",
        "kanpde solve heat.yaml --set training.stop.error=1e-8": "until the error is small enough",
        "kanpde solve --resume outputs/heat-001 --set training.stop.time=900": "go on, with more time",
        "kanpde solve heat.yaml --animate gif": "with a film of the training",
        "kanpde solve heat.yaml --json": "an object on each line, for other programs",
    },
    "show": {
        "kanpde show outputs/heat-001": "what came of it",
        "kanpde show outputs/heat-001 --edges --csv edges.csv": "its network",
        "kanpde show --schema": "what is in a result file",
    },
    "plot": {
        "kanpde plot outputs/heat-001": "the pictures again",
        "kanpde plot outputs/heat-001 --movie": "the solution in time, as an animated GIF",
        "kanpde plot outputs/heat-001 --edges --format svg": "the network as a graph",
    },
    "eval": {
        "kanpde eval outputs/heat-001 --at points.csv": "the solution at points",
        "kanpde eval outputs/heat-001 --at points.csv --fields 'u, u_x, d(u, x, y)'": "with derivatives",
    },
    "compare": {
        "kanpde compare outputs/heat-001": "with what the problem says is known",
        "kanpde compare outputs/heat-001 outputs/heat-001/formula.json": "with its formula",
        "kanpde compare outputs/heat-001 other.h5 --tolerance 1e-6": "exit code 4 above 1e-6",
    },
    "rerun": {"kanpde rerun outputs/heat-001": "are the bits the same?"},
    "formula": {
        "kanpde formula outputs/heat-001": "a formula, with its proof",
        "kanpde formula outputs/heat-001 --format latex": "for a paper",
    },
    "prune": {"kanpde prune outputs/heat-001 --factor 3": "a smaller network, as a run of its own"},
    "export": {
        "kanpde export outputs/heat-001 --to csv": "a table",
        "kanpde export outputs/heat-001 --to vtk --output heat.vtr": "for ParaView",
        "kanpde export outputs/heat-001 --to onnx": "the solution as a function",
    },
    "list": {"kanpde list problems": "what comes with the program", "kanpde list operators": "what equations may say"},
    "schema": {
        "kanpde schema > kanpde.schema.json": "for editors",
        "kanpde schema --markdown": "the manual of problem files",
    },
    "doctor": {"kanpde doctor": "is everything there, and does it work?"},
    "completion": {'eval "$(kanpde completion bash)"': "in ~/.bashrc"},
    "batch": {
        "kanpde batch sweep.yaml --dry-run": "the members and their cost",
        "kanpde batch sweep.yaml": "run those that are missing",
        "kanpde batch status outputs/sweep": "how they stand; also cancel and retry",
    },
    "report": {
        "kanpde report outputs/sweep": "a table and a page of all members",
        "kanpde report outputs/heat-001": "a page of one run",
    },
}


def add_examples(group: click.Group, known: Mapping[str, Mapping[str, str]] = EXAMPLES) -> None:
    """Put the examples of each command below its help."""
    for name, lines in known.items():
        if name in group.commands:
            command = group.commands[name]
            command.epilog = "\n\n".join(filter(None, [listed(lines), command.epilog]))


def listed(lines: Mapping[str, str]) -> str:
    """Commands, each after what it does, as click prints them without filling."""
    return "\b\nExamples:\n" + "\n".join(f"  # {meaning}\n  {command}" for command, meaning in lines.items())


class Named(click.Choice):
    """One of some names; for another, the one that was probably meant."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(tuple(names))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        meant = closest(str(value), self.choices) if str(value) not in self.choices else ""
        if meant:
            self.fail(f"'{value}' is none of {', '.join(self.choices)}; did you mean '{meant}'?", param, ctx)
        return super().convert(value, param, ctx)
