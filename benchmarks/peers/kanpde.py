"""kanpde itself, by its command line with its defaults; its seconds include its own evaluations of the error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from time import monotonic

from peers.problems import PROBLEMS, TABLE

TICK = os.sysconf("SC_CLK_TCK")


def used(process: int) -> float:
    """The seconds of the processor that a running process has used."""
    with open(f"/proc/{process}/stat") as file:
        after_name = file.read().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICK


def main() -> None:
    """Print a line for each of the program's own."""
    name, seconds = sys.argv[1:]
    command = [sys.executable, "-m", "kanpde.cli", "solve", str(PROBLEMS / TABLE[name].file), "--json",
               "--set", "training.threads=1", "--set", f"training.stop.time={seconds}"]
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen([*command, "--out", f"{folder}/run"], cwd=folder, stdout=subprocess.PIPE, text=True)
        begin, begun = monotonic(), False
        for line in child.stdout or ():
            said = json.loads(line)
            if said["event"] == "step" and said.get("error") is not None:
                now = used(child.pid)
                if not begun:
                    begun = True
                    setup = min(now, monotonic() - begin - said["seconds"])
                    print(json.dumps({"setup_seconds": setup}), flush=True)
                print(json.dumps({"seconds": now, "error": said["error"], "steps": said["step"]}), flush=True)
            elif said["event"] == "result":
                error = max(one["relative_l2"] for one in said["errors"].values())
                print(json.dumps({"final_error": error, "outcome": said["outcome"]}), flush=True)
    sys.exit(child.wait())


if __name__ == "__main__":
    main()
