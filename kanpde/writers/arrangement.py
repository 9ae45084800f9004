"""Where the nodes and edge functions of a network are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from kanpde.graph import Edge, Graph, Node

MOST = 16  # nodes of a hidden column that are drawn
PITCH_X, PITCH_Y = 0.52, 0.50  # from one small pair of axes to the next, in inches
WIDTH, HEIGHT = 0.42, 0.36
FAN, WORDS, ROOM, LINES = 0.75, 1.75, 0.45, 2.4  # before the axes, the same beside formulas, behind them, without axes


@dataclass(frozen=True)
class Spot:
    """A node with the middle of its place."""

    node: Node
    x: float
    y: float


@dataclass(frozen=True)
class Box:
    """An edge whose function has axes of its own, with their middle."""

    edge: Edge
    x: float
    y: float


@dataclass(frozen=True)
class Arrangement:
    """What is drawn: places by column and number, edges with axes, edges without, and what has been left out."""

    spots: tuple[dict[int, Spot], ...]
    boxes: tuple[Box, ...]
    lines: tuple[Edge, ...]
    width: float
    height: float
    left_out: tuple[tuple[int, int, float], ...]  # nodes shown, of how many, and the importance shown, by column

    def ends(self, edge: Edge) -> tuple[Spot, Spot]:
        """The places of the nodes that an edge joins."""
        return self.spots[edge.layer - 1][edge.source], self.spots[edge.layer][edge.target]


def arranged(graph: Graph, most: int = MOST) -> Arrangement:
    """Columns of nodes from left to right, the functions of a layer in a matrix between them.

    Where a layer has at least as many targets as sources, a row holds the functions that add up to one target;
    else a row holds those of one source.
    """
    kept = [leading(column, most) for column in graph.columns]
    height = PITCH_Y * max(map(len, kept))
    x, spots, boxes, lines = 0.0, [heights(graph.columns[0], kept[0], 0.0, height)], [], []
    for number, (before, after) in enumerate(zip(kept, kept[1:]), start=1):
        edges = [e for e in graph.layer(number) if e.source in before and e.target in after]
        functions = [edge for edge in edges if edge.weight is None]
        fan = WORDS if any(graph.columns[number - 1][k].formula for k in before) else FAN
        across = before if len(after) >= len(before) else after
        wide = fan + PITCH_X * len(across) + ROOM if functions else LINES
        spots.append(heights(graph.columns[number], after, x + wide, height))
        for edge in functions:
            by_target = across is before
            column = across.index(edge.source if by_target else edge.target)
            row = spots[-1][edge.target] if by_target else spots[-2][edge.source]
            boxes.append(Box(edge, x + fan + PITCH_X * (column + 0.5), row.y))
        lines += [edge for edge in edges if edge.weight is not None]
        x += wide
    shown = [
        (len(some), len(column), sum(column[k].importance for k in some))
        for column, some in zip(graph.columns, kept) if len(some) < len(column)
    ]
    return Arrangement(tuple(spots), tuple(boxes), tuple(lines), x, height, tuple(shown))


def leading(column: tuple[Node, ...], most: int) -> list[int]:
    """The numbers of a column's nodes: all in order, or the most important ones, these first."""
    if len(column) <= most:
        return list(range(len(column)))
    return sorted(range(len(column)), key=lambda k: -column[k].importance)[:most]


def heights(column: tuple[Node, ...], kept: list[int], x: float, height: float) -> dict[int, Spot]:
    """The places of a column's nodes, evenly from top to bottom."""
    step = height / len(kept)
    return {k: Spot(column[k], x, height - step * (row + 0.5)) for row, k in enumerate(kept)}
