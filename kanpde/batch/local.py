"""The engine of one machine: processes, as many at once as there are processors and memory for."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from contextlib import suppress
from typing import Callable, Iterator, Mapping, Sequence

from kanpde.batch.folder import Batch
from kanpde.batch.records import Record, recorded
from kanpde.batch.standing import standing
from kanpde.batch.tasks import Task, begun, ended
from kanpde.capacity import capacity
from kanpde.errors import KanpdeError

PAUSE = 0.05  # seconds between looks
PATIENCE = 90.0  # seconds for the members to save what they have

Running = dict[subprocess.Popen[bytes], tuple[Task, float, tuple[str, ...]]]


def run(memory: Callable[[Batch, str], float], batch: Batch, tasks: Sequence[Task], detach: bool) -> Iterator[str]:
    """Run the tasks in their order; closed early, it asks those at work to save and stop, and waits for them.

    `memory` tells the bytes that a member of a batch is going to take.
    """
    if detach:
        raise KanpdeError("--detach is for engines with a queue of their own; the local one ends with the program")
    cores, gpus = processors(), deque(devices(batch.resources.gpus))
    most = max(1, cores // batch.resources.cpus)
    room = capacity().free
    waiting, running = deque(tasks), Running()
    with recorded(batch.folder, Record.here("local", {task.name: "" for task in tasks})):
        try:
            while waiting or running:
                while waiting and len(running) < most and len(gpus) >= batch.resources.gpus:
                    need = memory(batch, waiting[0].name)
                    if running and need > room - sum(taken for _, taken, _ in running.values()):
                        break
                    task = waiting.popleft()
                    if not standing(batch.folder / task.name).state.open:  # another program was quicker
                        yield task.name
                        continue
                    mine = tuple(gpus.popleft() for _ in range(batch.resources.gpus))
                    running[begun(task, visible(mine))] = task, need, mine
                for process in [one for one in running if one.poll() is not None]:
                    task, _, mine = running.pop(process)
                    gpus.extend(mine)
                    ended(task, process)
                    yield task.name
                time.sleep(PAUSE)
        finally:
            stop(running)


def stop(running: Running) -> None:
    """Ask processes to save and stop, and kill those that do not."""
    for process in running:
        process.terminate()
    end = time.monotonic() + PATIENCE
    try:
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
    finally:
        for process, (task, _, _) in running.items():
            if process.poll() is None:
                process.kill()
            ended(task, process)


def processors() -> int:
    """The processors that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def devices(each: int) -> tuple[str, ...]:
    """The GPUs there are, if members want any; raises KanpdeError where there are not enough for one member."""
    if not each:
        return ()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        found = tuple(filter(None, named.split(",")))
    else:
        try:
            lines = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False).stdout
        except OSError:
            lines = ""
        found = tuple(str(k) for k, line in enumerate(lines.splitlines()) if line.startswith("GPU "))
    if len(found) < each:
        raise KanpdeError(f"--gpus {each}: there are {len(found)} on this machine")
    return found


def visible(gpus: tuple[str, ...]) -> Mapping[str, str]:
    """What makes a process see its own GPUs only."""
    return {"CUDA_VISIBLE_DEVICES": ",".join(gpus)} if gpus else {}
