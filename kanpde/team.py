"""Processes that share one solve: who they are, and what they tell each other."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Iterator, Mapping

import torch
import torch.distributed as dist
from torch import Tensor

from kanpde.errors import KanpdeError

PATIENCE = timedelta(minutes=5)  # with another process, before it is given up
SLURM = {"RANK": "SLURM_PROCID", "WORLD_SIZE": "SLURM_NTASKS", "LOCAL_RANK": "SLURM_LOCALID"}


class Lost(KanpdeError):
    """Another process of the team has gone."""


@dataclass
class Team:
    """So many processes, and which of them this is; all call the same methods in the same order."""

    rank: int = 0
    count: int = 1
    lost: str = ""  # why others do not answer any more

    def total(self, *tensors: Tensor) -> None:
        """Put the sum over all processes in place of each tensor."""
        if self.count > 1:
            with loss_told():
                for tensor in tensors:
                    dist.all_reduce(tensor)

    def follow(self, tensor: Tensor) -> None:
        """Put the first process's tensor in place of this one."""
        if self.count > 1:
            with loss_told():
                dist.broadcast(tensor, 0)

    def stacked(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of all processes, in order; all have one shape."""
        found = [torch.empty_like(tensor) for _ in range(self.count)]
        if self.count == 1:
            return [tensor]
        with loss_told():
            dist.all_gather(found, tensor.contiguous())
        return found

    def first(self, number: float) -> float:
        """The first process's number."""
        if self.count == 1:
            return number
        told = torch.tensor(number, dtype=torch.float64)
        self.follow(told)
        return float(told)

    def close(self) -> None:
        """From now on this process is alone."""
        self.rank, self.count = 0, 1


TEAM = Team()  # of this process


@contextmanager
def loss_told() -> Iterator[None]:
    """What torch says when another process does not answer, in our words."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0].rpartition("] ")[2].split(". ")[0][:200]
        TEAM.lost = f"another process of this solve has gone ({reason})"
        raise Lost(TEAM.lost) from error


def asked(environment: Mapping[str, str], distributed: bool) -> dict[str, str]:
    """What torch.distributed must know, as torchrun tells it, or srun where a team is asked for; empty for one process.

    Raises KanpdeError where a team is asked for, and nothing says which.
    """
    if int(environment.get("WORLD_SIZE", "1")) > 1 and "RANK" in environment:
        return {name: environment[name] for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK") if name in environment}
    if not distributed:
        return {}
    if not set(SLURM.values()) <= set(environment):
        raise KanpdeError(
            "--distributed: nothing tells this process of others; start all of them with "
            "torchrun --nproc-per-node 2 --no-python kanpde solve FILE, or with srun"
        )
    if environment["SLURM_NTASKS"] == "1":
        return {}
    missing = [name for name in ("MASTER_ADDR", "MASTER_PORT") if name not in environment]
    if missing:
        raise KanpdeError(
            f"--distributed: {' and '.join(missing)} not set; under srun, export MASTER_ADDR=$(scontrol show hostnames "
            '"$SLURM_JOB_NODELIST" | head -n 1) and MASTER_PORT=29500, or another free port'
        )
    return {name: environment[other] for name, other in SLURM.items()}


@contextmanager
def joined(distributed: bool = False) -> Iterator[Team]:
    """The team of this process for as long as it lasts: of one, unless a launcher has started more.

    Raises KanpdeError where the others cannot be reached.
    """
    told = asked(os.environ, distributed)
    if not told:
        yield TEAM
        return
    os.environ.update(told)
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise KanpdeError(f"the other processes of this solve cannot be reached: {error}") from error
    TEAM.rank, TEAM.count = dist.get_rank(), dist.get_world_size()
    try:
        yield TEAM
    finally:
        TEAM.close()
        if dist.is_initialized():
            dist.destroy_process_group()


def local_rank() -> int:
    """Which of the processes on this machine this is."""
    return int(os.environ.get("LOCAL_RANK", "0")) if TEAM.count > 1 else 0


def neighbours() -> int:
    """How many processes of the team share this machine, if that is known."""
    names = ("LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE") if TEAM.count > 1 else ()
    return next((int(os.environ[name]) for name in names if os.environ.get(name, "").isdigit()), 1)
