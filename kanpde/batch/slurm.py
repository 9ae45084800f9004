"""The engine of a Slurm cluster: one job array, submitted by submitit; what came of it is read in the run folders."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Iterator, Sequence

from submitit import SlurmExecutor
from submitit.helpers import DelayedSubmission

from kanpde.batch import queue
from kanpde.batch.folder import Batch, Resources
from kanpde.batch.records import FOLDER, SLURM, Record, write_record
from kanpde.batch.tasks import LOOK, Task, begun, ended, outlast
from kanpde.errors import KanpdeError

PAUSE = 2.0  # seconds between looks at the queue
TIMEOUTS = 50  # time limits that a member may run into, each time going on where it was
MINUTES = 60  # of a job, unless said otherwise
PARALLEL = "parallel"  # option: members at once, at most


@dataclass
class Job:
    """What runs on the node: a task, which at a time limit or a user's signal saves and is queued again."""

    task: Task
    process: subprocess.Popen[bytes] | None = field(default=None, compare=False)

    def __call__(self) -> int:
        """Run the task to its end and give its exit code."""
        self.process = begun(self.task, {})
        while self.process.poll() is None:  # no lock is held while a signal is handled
            time.sleep(LOOK)
        code = ended(self.task, self.process)
        outlast(code)
        return code

    def checkpoint(self) -> DelayedSubmission:
        """Let the task save, and give what is to be queued again."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        return DelayedSubmission(Job(self.task))


def run(batch: Batch, tasks: Sequence[Task], detach: bool) -> Iterator[str]:
    """Submit the tasks as one job array and, unless detached, look until all have ended; closed, the array goes on."""
    jobs = submitted(batch, tasks)
    write_record(batch.folder, Record.here(SLURM, jobs))
    if detach:
        return
    while jobs:
        active = queue.active(jobs.values())
        for name in [name for name, job in jobs.items() if job not in active]:
            del jobs[name]
            yield name
        time.sleep(PAUSE if jobs else 0)


def submitted(batch: Batch, tasks: Sequence[Task]) -> dict[str, str]:
    """The number of the job of each task."""
    folder = batch.folder.resolve() / FOLDER / SLURM
    try:
        executor = SlurmExecutor(folder, max_num_timeout=TIMEOUTS)
        executor.update_parameters(**parameters(batch.resources))
        with executor.batch():
            jobs = [executor.submit(Job(task)) for task in tasks]
        return {task.name: job.job_id for task, job in zip(tasks, jobs)}
    except (RuntimeError, OSError, ValueError) as error:
        raise KanpdeError(f"Slurm does not take the members: {str(error).strip()}") from error


def parameters(resources: Resources) -> dict[str, Any]:
    """What submitit is told: the resources, and the options of sbatch as they are."""
    options = dict(resources.scheduler or {})
    parallel = options.pop(PARALLEL, "")
    if parallel and not parallel.isdigit():
        raise KanpdeError(f"--scheduler {PARALLEL}={parallel}: a whole number is expected")
    asked: dict[str, Any] = {
        "job_name": "kanpde",
        "nodes": 1,
        "ntasks_per_node": 1,
        "cpus_per_task": resources.cpus,
        "time": resources.minutes or MINUTES,
        "partition": resources.partition,
        "mem": f"{ceil(resources.memory / 2**20)}M" if resources.memory else None,
        "gpus_per_node": resources.gpus or None,
        "additional_parameters": {"requeue": True, **options},
        "array_parallelism": int(parallel) if parallel else 1000,
        "stderr_to_stdout": True,
    }
    return {name: value for name, value in asked.items() if value is not None}
