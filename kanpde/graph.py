"""A trained network as a graph of nodes and univariate functions: plain numbers to be drawn, listed or saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy as np


@dataclass(frozen=True, eq=False)
class Node:
    """A sum (or product) of edges: its name, the interval of its values, its importance, its activation if it has one.

    A node that is a sum of coordinates times weights says so in `formula`.
    """

    label: str
    low: float
    high: float
    importance: float = 0.0
    formula: str = ""
    curve: np.ndarray | None = None  # [2, n]: arguments and values


@dataclass(frozen=True, eq=False)
class Edge:
    """A function from one node to another: its curve [2, n], the interval of its values over the domain's points.

    Where it is a multiple of what the source gives, `weight` is the factor.
    """

    layer: int  # from 1
    source: int
    target: int
    curve: np.ndarray
    low: float
    high: float
    importance: float  # all edges of a layer together have 1
    weight: float | None = None


@dataclass(frozen=True, eq=False)
class Graph:
    """The nodes of a network column by column, from the coordinates to the unknowns, and its edges."""

    unknowns: tuple[str, ...]
    network: str  # in a few words
    coordinates: tuple[str, ...]  # to which the inputs belong, one for each
    columns: tuple[tuple[Node, ...], ...]
    edges: tuple[Edge, ...]
    product: bool = False  # whether the second column multiplies
    notes: tuple[str, ...] = ()

    def layer(self, number: int) -> tuple[Edge, ...]:
        """The edges that leave one column."""
        return tuple(edge for edge in self.edges if edge.layer == number)

    def ranked(self) -> list[Edge]:
        """The edges, layer by layer, the most important first."""
        return sorted(self.edges, key=lambda edge: (edge.layer, -edge.importance, edge.source, edge.target))

    def variable(self, edge: Edge) -> str:
        """What the function on an edge is a function of."""
        return self.coordinates[edge.source] if edge.layer == 1 else "z"

    def names(self, edge: Edge) -> tuple[str, str]:
        """The nodes that an edge joins, by their labels."""
        return self.columns[edge.layer - 1][edge.source].label, self.columns[edge.layer][edge.target].label

    def of_coordinates(self) -> Mapping[str, float]:
        """The importance of each coordinate: the sum over all first edges that leave its inputs."""
        found = dict.fromkeys(self.coordinates, 0.0)
        for edge in self.layer(1):
            found[self.coordinates[edge.source]] += edge.importance
        return found


def sums(edges: Sequence[Edge], count: int, outgoing: bool = True) -> list[float]:
    """The importance of the nodes of a column: the sum over the edges that leave them, or that arrive."""
    found = [0.0] * count
    for edge in edges:
        found[edge.source if outgoing else edge.target] += edge.importance
    return found
