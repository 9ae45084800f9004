"""Pictures of networks: nodes in columns, and on each edge its function."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from kanpde.graph import Graph, Node
from kanpde.writers.arrangement import HEIGHT, WIDTH, Arrangement, Box, Spot, arranged
from kanpde.writers.panels import label
from kanpde.writers.png import drawn

STYLE = {"font.size": 8, "font.family": "DejaVu Sans", "text.usetex": False, "savefig.dpi": "figure",
         "figure.dpi": 160, "svg.hashsalt": "kanpde", "svg.fonttype": "path"}  # fmt: skip
FORMATS = ("png", "svg")
RADIUS = 0.12
UP, DOWN = "#0072B2", "#D55E00"  # the colours of weights by sign, and of functions
FAINTEST = 0.12
INSET = 0.84  # of its axes that a curve fills
FLAT = 1e-9  # a function that varies by less, in parts of the layer's largest, is drawn as a constant


def draw_graphs(graphs: Sequence[Graph], title: str, form: str = "png") -> dict[str, bytes]:
    """The pictures of graphs by name, in one of FORMATS."""
    names = ["edges"] if len(graphs) == 1 else [f"edges_{'_'.join(graph.unknowns)}" for graph in graphs]
    write = {"png": drawn, "svg": vector}[form]
    with warnings.catch_warnings(), rc_context(STYLE):
        warnings.filterwarnings("ignore", "Glyph .* missing")
        return {name: write(graph_figure(graph, title)) for name, graph in zip(names, graphs)}


def vector(figure: Figure) -> bytes:
    """A figure as SVG."""
    stream = BytesIO()
    FigureCanvasSVG(figure)
    metadata = {"Date": None, "Creator": "kanpde"}
    figure.savefig(stream, format="svg", bbox_inches="tight", pad_inches=0.08, metadata=metadata)
    return stream.getvalue()


def graph_figure(graph: Graph, title: str) -> Figure:
    """The picture of one graph."""
    plan = arranged(graph)
    left, right, below, above = 1.0, 0.9, 0.55, 0.75
    width, height = plan.width + left + right, plan.height + below + above
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height))
        place = figure.add_axes((0, 0, 1, 1), frameon=False, xlim=(-left, plan.width + right),
                                ylim=(-below, plan.height + above), xticks=[], yticks=[])
        draw_lines(place, graph, plan)
        draw_functions(place, plan)
        for number, column in enumerate(plan.spots):
            for spot in column.values():
                draw_node(place, spot, graph, number, len(plan.spots))
        draw_headings(place, graph, plan)
        draw_words(place, graph, plan, title)
    return figure


def strength(importance: float, largest: float) -> float:
    """How strongly an edge is drawn, from the faintest to 1."""
    return FAINTEST + (1 - FAINTEST) * (importance / largest) ** 0.5 if largest > 0 else FAINTEST


def largest_of(graph: Graph) -> Mapping[int, float]:
    """The greatest importance in each layer."""
    return {n: max(edge.importance for edge in graph.layer(n)) for n in range(1, len(graph.columns))}


def draw_lines(place: Axes, graph: Graph, plan: Arrangement) -> None:
    """The lines of all edges: through their axes, or straight from node to node, coloured by the sign of the weight."""
    top = largest_of(graph)
    segments, widths, colours = [], [], []
    for box in plan.boxes:
        source, target = plan.ends(box.edge)
        strong = strength(box.edge.importance, top[box.edge.layer])
        segments.append([(source.x, source.y), (box.x - WIDTH / 2, box.y)])
        segments.append([(box.x + WIDTH / 2, box.y), (target.x, target.y)])
        widths += [0.3 + 1.5 * strong**2] * 2
        colours += [(0.0, 0.0, 0.0, 0.75 * strong**2)] * 2
    place.add_collection(LineCollection(segments, linewidths=widths, colors=colours, zorder=1))
    segments, widths, names, alphas = [], [], [], []
    for edge in plan.lines:
        source, target = plan.ends(edge)
        strong = strength(edge.importance, top[edge.layer])
        segments.append([(source.x, source.y), (target.x, target.y)])
        widths.append(0.3 + 2.2 * strong**2)
        names.append(UP if (edge.weight or 0.0) >= 0 else DOWN)
        alphas.append(strong)
    place.add_collection(LineCollection(segments, linewidths=widths, colors=names, alpha=alphas or None, zorder=1,
                                        gid="weights"))


def draw_functions(place: Axes, plan: Arrangement) -> None:
    """The functions in their axes, each with a scale of its own and a thin line at zero where it is in sight."""
    top: dict[int, float] = {}
    most: dict[int, float] = {}
    for box in plan.boxes:
        top[box.edge.layer] = max(top.get(box.edge.layer, 0.0), box.edge.importance)
        most[box.edge.layer] = max(most.get(box.edge.layer, 0.0), float(np.ptp(box.edge.curve[1])))
    strong = [strength(box.edge.importance, top[box.edge.layer]) for box in plan.boxes]
    frames = [corners(box.x, box.y) for box in plan.boxes]
    shades = [(0.0, 0.0, 0.0, s) for s in strong]
    place.add_collection(PolyCollection(frames, facecolors="white", edgecolors="white", linewidths=0.5, zorder=2))
    zeros = [line for box in plan.boxes if (line := zero_line(box))]
    place.add_collection(LineCollection(zeros, linewidths=0.4, colors="#bbbbbb", zorder=3))
    place.add_collection(PolyCollection(frames, facecolors="none", edgecolors=shades, linewidths=0.6, zorder=3,
                                        gid="axes"))
    curves = [fitted(box.edge.curve, box.x, box.y, FLAT * most[box.edge.layer]) for box in plan.boxes]
    place.add_collection(LineCollection(curves, linewidths=[0.7 + 0.9 * s for s in strong], colors=UP,
                                        alpha=strong or None, zorder=4, gid="functions", capstyle="round"))


def corners(x: float, y: float) -> np.ndarray:
    """The corners of a small pair of axes."""
    return np.array([x, y]) + np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (WIDTH / 2, HEIGHT / 2)


def fitted(curve: np.ndarray, x: float, y: float, flat: float = 0.0) -> np.ndarray:
    """A curve [2, n] as points [n, 2] in the axes around (x, y)."""
    arguments, values = curve
    across = np.linspace(-0.5, 0.5, 2) if len(arguments) == 2 else scaled(arguments, 0.0)
    return np.stack([x + INSET * WIDTH * across, y + INSET * HEIGHT * scaled(values, flat)], axis=1)


def scaled(values: np.ndarray, flat: float) -> np.ndarray:
    """Values mapped to [−1/2, 1/2], or to 0 where they hardly vary."""
    low, size = float(values.min()), float(np.ptp(values))
    return (values - low) / size - 0.5 if size > flat else np.zeros_like(values)


def zero_line(box: Box) -> list[tuple[float, float]]:
    """The line of zero in the axes of a function, where it is in sight."""
    low, high = float(box.edge.curve[1].min()), float(box.edge.curve[1].max())
    if not low < 0 < high:
        return []
    height = box.y + INSET * HEIGHT * (-low / (high - low) - 0.5)
    return [(box.x - WIDTH / 2, height), (box.x + WIDTH / 2, height)]


def draw_node(place: Axes, spot: Spot, graph: Graph, number: int, count: int) -> None:
    """A disc, darker for more important nodes, with its name in it or beside it; a curve where it has an activation."""
    node, last = spot.node, number == count - 1
    if node.curve is not None:
        draw_activation(place, spot)
        return
    most = max(other.importance for other in graph.columns[number]) or 1.0
    shade = 1 - 0.75 * (node.importance / most) ** 0.5
    place.plot(spot.x, spot.y, "o", markersize=2 * RADIUS * 72, color=str(round(shade, 3)), markeredgecolor="black",
               markeredgewidth=0.6, zorder=5)
    outside = number == 0 or last
    inner = "Σ" if last else "" if outside else "×" if graph.product else node.label
    place.text(spot.x, spot.y - 0.01, inner, ha="center", va="center", fontsize=6, zorder=6,
               color="white" if shade < 0.6 else "black")
    if outside:
        side, align = (-0.2, "right") if number == 0 else (0.2, "left")
        place.text(spot.x + side, spot.y, beside(node, number), zorder=6, fontsize=9, ha=align, va="center")
    elif node.formula:
        words = f"z = {label(node.formula, 36)}\n{node.low:.3g} ≤ z ≤ {node.high:.3g}"
        place.text(spot.x + 0.2, spot.y, words, fontsize=6, ha="left", va="center", zorder=6, linespacing=1.35,
                   bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8})


def beside(node: Node, number: int) -> str:
    """The name of an input with its interval and importance, or of an unknown."""
    if number:
        return label(node.label, 24)
    return f"{label(node.label, 16)}\n{node.low:.3g} … {node.high:.3g}\n{100 * node.importance:.0f} %"


def draw_activation(place: Axes, spot: Spot) -> None:
    """The function that a node applies to its sum."""
    assert spot.node.curve is not None
    place.fill(*corners(spot.x, spot.y).T, facecolor="white", edgecolor="black", linewidth=0.7, zorder=5)
    place.plot(*fitted(spot.node.curve, spot.x, spot.y).T, color="black", linewidth=1.0, zorder=6)


def draw_words(place: Axes, graph: Graph, plan: Arrangement, title: str) -> None:
    """The title, what is shown of the graph, and how to read it."""
    lines = [f"{label(title, 80)}: the edges of {label(', '.join(graph.unknowns), 40)}, {graph.network}"]
    kind = "pairs" if graph.product else "ridges" if graph.columns[1][0].formula else "nodes"
    for shown, whole, part in plan.left_out:
        share = f"with {100 * part:.0f} % of the importance"
        lines.append(f"shown are the {shown} most important of {whole} {kind}, {share}")
    place.text(-0.9, plan.height + 0.68, "\n".join(lines), fontsize=9, va="top", ha="left", linespacing=1.3)
    words = ["each function has a scale of its own, from its least to its greatest value; strong lines are important"]
    if any(node.formula and node.curve is None for node in graph.columns[1]):
        words.append("the functions of z are drawn over its interval")
    if plan.lines:
        words.append("lines without axes are weights, blue above zero and red below")
    words += graph.notes
    text = "\n".join(label(line, 160) for line in words)
    place.text(-0.9, -0.35, text, fontsize=7, va="top", ha="left", color="#444444")


def draw_headings(place: Axes, graph: Graph, plan: Arrangement) -> None:
    """Of what the functions below one another are functions, or to what they are added."""
    lowest: dict[tuple[int, float], Box] = {}
    highest: dict[tuple[int, float], Box] = {}
    for box in plan.boxes:
        key = (box.edge.layer, round(box.x, 6))
        lowest[key] = min(lowest.get(key, box), box, key=lambda b: b.y)
        highest[key] = max(highest.get(key, box), box, key=lambda b: b.y)
    for (layer, x), box in lowest.items():
        if layer == 1 and len(plan.spots[1]) >= len(plan.spots[0]):
            name, node = graph.coordinates[box.edge.source], graph.columns[0][box.edge.source]
            text = f"{node.low:.3g} … {node.high:.3g}\n{label(name, 10)}"
            place.text(x, box.y - HEIGHT / 2 - 0.03, text, fontsize=5.5, ha="center", va="top")
    for (layer, x), box in highest.items():
        source = graph.columns[layer - 1][box.edge.source].label
        target = graph.columns[layer][box.edge.target].label
        by_target = len(plan.spots[layer]) >= len(plan.spots[layer - 1])
        text = f"of {source}" if by_target else f"to {target}"
        style = {"fontsize": 5.5, "ha": "center", "va": "bottom", "color": "#444444"}
        place.text(x, box.y + HEIGHT / 2 + 0.03, label(text, 10), **style)
