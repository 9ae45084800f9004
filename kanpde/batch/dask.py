"""The engine of elastic workers: Dask's, on a cluster of any kind that dask-jobqueue knows, or at an address."""

from __future__ import annotations

import time
from contextlib import ExitStack
from math import ceil
from typing import Any, Iterator, Mapping, Sequence

import dask
from dask_jobqueue import LSFCluster, PBSCluster, SGECluster, SLURMCluster
from distributed import Client, Future, LocalCluster, as_completed

from kanpde.batch.folder import Batch, Resources
from kanpde.batch.local import processors
from kanpde.batch.records import FOLDER, Record, recorded
from kanpde.batch.standing import INTERRUPTIONS, State, standing
from kanpde.batch.tasks import LOOK, Task, begun, ended, outlast
from kanpde.errors import KanpdeError, nearest

FAILURES = 3  # workers that a member may take with it before it is given up
WORKERS = 10  # at most, unless said otherwise
MEMORY = 2 * 2**30  # bytes of each, unless said otherwise
PATIENCE = 90.0  # seconds for members to save what they have
OWN = ("cluster", "address", "workers", "interface")  # options that are not the scheduler's
CLUSTERS: Mapping[str, Any] = {"slurm": SLURMCluster, "pbs": PBSCluster, "lsf": LSFCluster, "sge": SGECluster}
CONFIGURATION = {
    "distributed.scheduler.allowed-failures": FAILURES,
    "distributed.scheduler.work-stealing": True,
    "distributed.comm.timeouts.connect": "60s",
}


def run(batch: Batch, tasks: Sequence[Task], detach: bool) -> Iterator[str]:
    """Run the tasks on workers that come and go; closed early, the workers go, and members save what they have."""
    if detach:
        raise KanpdeError("--detach is for engines with a queue of their own; Dask's scheduler ends with the program")
    with recorded(batch.folder, Record.here("dask", {task.name: "" for task in tasks})):
        try:
            with dask.config.set(CONFIGURATION), ExitStack() as open_ones:
                client = connected(batch, len(tasks), open_ones)
                yield from told({submitted(client, task): task.name for task in tasks})
        finally:
            wait_for(batch, tasks)


def attended(task: Task) -> int:
    """Run a task to its end in a worker, and give its exit code; one that was stopped is for another worker."""
    process = begun(task, {})
    while process.poll() is None:
        time.sleep(LOOK)
    code = ended(task, process)
    outlast(code)
    if code in INTERRUPTIONS:
        raise RuntimeError(f"{task.name} was stopped")
    return code


def submitted(client: Client, task: Task) -> Future:
    """A task in the hands of the workers."""
    return client.submit(attended, task, key=task.name, pure=False, retries=FAILURES)


def told(names: dict[Future, str]) -> Iterator[str]:
    """The names of members as they end; a result is let go, or it would be lost with its worker and made again."""
    for future in as_completed(list(names)):
        yield names.pop(future)
        future.release()


def connected(batch: Batch, members: int, open_ones: ExitStack) -> Client:
    """A client of the workers, which go when `open_ones` is closed."""
    options = dict(batch.resources.scheduler or {})
    kind, address = options.get("cluster", "local"), options.get("address")
    if address:
        return open_ones.enter_context(Client(address))
    most = min(members, number(options, "workers", WORKERS))
    if kind == "local":
        here = max(1, min(most, processors() // batch.resources.cpus))
        cluster = LocalCluster(n_workers=here, threads_per_worker=1, dashboard_address=None)
    elif kind in CLUSTERS:
        cluster = CLUSTERS[kind](**parameters(kind, batch, options))
    else:
        known = (*CLUSTERS, "local")
        raise KanpdeError(f"--scheduler cluster={kind}: known are {', '.join(known)}{nearest(kind, known)}")
    open_ones.enter_context(cluster)
    if kind != "local":
        cluster.adapt(minimum=0, maximum=most, interval="2s", wait_count=30)
    return open_ones.enter_context(Client(cluster))


def number(options: Mapping[str, str], name: str, usual: int) -> int:
    """An option that is a positive whole number."""
    text = options.get(name, str(usual))
    if not text.isdigit() or not int(text):
        raise KanpdeError(f"--scheduler {name}={text}: a positive whole number is expected")
    return int(text)


def parameters(kind: str, batch: Batch, options: Mapping[str, str]) -> dict[str, Any]:
    """What dask-jobqueue is told: one worker with one thread in each job; a member is a process beside it."""
    resources: Resources = batch.resources
    size, minutes = ceil((resources.memory or MEMORY) / 2**20), resources.minutes or 60
    further = {name: value for name, value in options.items() if name not in OWN}
    if resources.gpus and kind != "slurm":
        raise KanpdeError(f"--gpus with cluster={kind}: say it as an option of the scheduler, by --scheduler KEY=VALUE")
    if resources.gpus:
        further["gpus-per-node"] = str(resources.gpus)
    dashes = "--{}={}" if kind == "slurm" else "-{} {}"
    asked: dict[str, Any] = {
        "cores": 1,
        "processes": 1,
        "memory": f"{size}MiB",
        "job_name": "kanpde",
        "walltime": f"{minutes // 60:02d}:{minutes % 60:02d}" + (":00" if kind != "lsf" else ""),
        "log_directory": str(batch.folder.resolve() / FOLDER / "dask"),
        "interface": options.get("interface"),
        "queue": resources.partition,
        "scheduler_options": {"dashboard_address": "127.0.0.1:0"},
        "job_extra_directives": [dashes.format(*one) for one in further.items()],
        **processors_of(kind, resources.cpus, size),
    }
    return {name: value for name, value in asked.items() if value is not None}


def processors_of(kind: str, number: int, megabytes: int) -> dict[str, Any]:
    """How a kind of cluster is asked for more processors than the worker has threads; raises KanpdeError for SGE."""
    known: Mapping[str, dict[str, Any]] = {
        "slurm": {"job_cpu": number},
        "pbs": {"resource_spec": f"select=1:ncpus={number}:mem={megabytes}MB"},
        "lsf": {"ncpus": number},
    }
    if kind not in known and number > 1:
        raise KanpdeError(f"--cpus with cluster={kind}: say it by --scheduler, as pe='smp 4'")
    return known.get(kind, {})


def wait_for(batch: Batch, tasks: Sequence[Task]) -> None:
    """Wait until no member is at work any more: those of workers that are gone save and stop."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and any(
        standing(batch.folder / task.name).state is State.RUNNING for task in tasks
    ):
        time.sleep(0.2)
