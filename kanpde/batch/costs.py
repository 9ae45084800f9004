"""What members are going to cost, by the plans of their runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from kanpde.batch.members import Member, Source
from kanpde.batch.sweep import SEED
from kanpde.errors import KanpdeError
from kanpde.plan import LIBRARIES, plan


@dataclass(frozen=True)
class Cost:
    """The first network's coefficients, bytes of memory, seconds after which training stops; or why it is refused."""

    coefficients: int = 0
    memory: float = 0.0
    seconds: float = 0.0
    method: str = ""
    refused: str = ""


def cost_of(member: Member) -> Cost:
    """What a member is going to cost; seeds make no difference."""
    return _cost(member.source, tuple(one for one in member.overrides if not one.startswith(f"{SEED}=")))


@lru_cache(maxsize=4096)
def _cost(source: Source, overrides: tuple[str, ...]) -> Cost:
    try:
        found = plan(Member("", source, overrides, {}, None).spec(("training.threads=1",)))
    except KanpdeError as error:
        return Cost(refused=str(error))
    return Cost(found.coefficients, LIBRARIES + found.memory, found.limit, found.method)
