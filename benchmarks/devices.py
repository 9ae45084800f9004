"""Whole runs on a processor and on a GPU, one after the other: the same errors, and the seconds of each.

    python benchmarks/devices.py                     # writes benchmarks/results/devices.json, prints a Markdown table
    python benchmarks/devices.py P1 B1 --time 60     # other problems, by id or by name
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import torch
from accuracy_run import here, measured
from accuracy_summary import worst
from machine import ROOT
from numerals import power
from tiers import chosen

FILE = ROOT / "benchmarks" / "results" / "devices.json"
PROBLEMS = ("P1", "HZ2", "P5", "W1", "KV", "AC1", "B1", "flow_2d_taylor_green", "elliptic_2d_nonlinear_poisson")


def main() -> None:
    """Run each problem on each device, save after each, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", metavar="PROBLEM", default=PROBLEMS)
    parser.add_argument("--devices", nargs="+", default=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--time", type=float, default=60.0, metavar="SECONDS", help="of the training of each run")
    asked = parser.parse_args()
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    found = {"machine": here(), "gpu": gpu, "runs": {}}
    print("| problem | " + " | ".join(f"{name}: error, seconds, steps" for name in asked.devices) + " |",
          "| --- |" + " --- |" * len(asked.devices), sep="\n")
    for case in chosen(asked.problems, None):
        runs = {}
        for device in asked.devices:
            on = replace(case, changes=(*case.changes, f"training.device={device}"))
            runs[device] = {**measured(on, "0", asked.threads, asked.time), "history": []}
            found["runs"][case.label] = runs
            FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        cells = [f"{power(worst(run))}, {run['wall_seconds']} s, {run.get('steps', '–')} ({run['outcome']})"
                 for run in runs.values()]
        print(f"| {case.label} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
