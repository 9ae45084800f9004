"""The edges of networks as a table: how important they are, and what they resemble."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any, Sequence

from kanpde.graph import Edge, Graph
from kanpde.matching import matches

LISTED = 12  # edges of a layer that are shown on a screen


def listed(graph: Graph, most: int | None = None) -> list[dict[str, Any]]:
    """The edges layer by layer, the most important first, at most so many of each layer."""
    edges: list[Edge] = []
    for number in range(1, len(graph.columns)):
        edges += [edge for edge in graph.ranked() if edge.layer == number][:most]
    found = matches([edge.curve for edge in edges], [graph.variable(edge) for edge in edges])
    rows = []
    for edge, match in zip(edges, found):
        source, target = graph.names(edge)
        rows.append({
            "layer": edge.layer, "from": source, "to": target, "importance": edge.importance, "low": edge.low,
            "high": edge.high, "match": match.name, "r2": match.r2, "formula": match.formula,
        })  # fmt: skip
    return rows


def facts(graph: Graph) -> dict[str, Any]:
    """A graph as a dictionary: all but its curves."""
    coordinates = dict(graph.of_coordinates())
    return {"unknowns": list(graph.unknowns), "network": graph.network, "notes": list(graph.notes),
            "coordinates": coordinates, "edges": listed(graph)}  # fmt: skip


def csv_text(graphs: Sequence[Graph]) -> str:
    """All edges of all graphs as CSV, numbers so that they can be read back exactly."""
    stream = StringIO(newline="")
    rows = [{"unknowns": " ".join(graph.unknowns), **row} for graph in graphs for row in listed(graph)]
    names = ("unknowns", "layer", "from", "to", "importance", "low", "high", "match", "r2", "formula")
    writer = csv.DictWriter(stream, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
