"""From what the user asks of the network to layers."""

from __future__ import annotations

from dataclasses import fields, replace

from kanpde.bases import BASES, Basis
from kanpde.errors import KanpdeError
from kanpde.network import DenseLayer, KanLayer, Layer, Network
from kanpde.piecewise import base
from kanpde.regional import families
from kanpde.spec import NetworkSpec, Spec

DEEP = NetworkSpec(basis="chebyshev", width=10, depth=3)
MLP_WIDTH = 32
SETTINGS = ("degree", "grid", "exponents", "width", "depth", "scale")


def inputs_of(spec: Spec) -> int:
    """The number of network inputs: one per coordinate, two where it is periodic."""
    return len(spec.box) + len(spec.periodic)


def basis_of(asked: NetworkSpec) -> Basis:
    """The basis that the settings ask for; what they leave open is as the basis says.

    Raises KanpdeError where it is no basis of single edges.
    """
    if asked.basis == "separable":
        raise KanpdeError("network.basis: separable is for all unknowns together, without training.stages or sparsify")
    kind = BASES[DEEP.basis if asked.basis == "auto" else asked.basis]
    settings = {field.name: getattr(asked, field.name, None) for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in settings.items() if value is not None})


def deep_network(inputs: int, outputs: int, asked: NetworkSpec) -> Network:
    """Equal layers of learnable edges, or of weights and tanh for an MLP."""
    depth = asked.depth or DEEP.depth
    width = asked.width or (MLP_WIDTH if asked.basis == "mlp" else DEEP.width)
    sizes = [inputs, *[width] * depth, outputs]  # type: ignore[operator,list-item]
    if asked.basis == "mlp":
        layers: list[Layer] = [
            DenseLayer(a, b, "tanh" if k else None) for k, (a, b) in enumerate(zip(sizes, sizes[1:]))
        ]
    else:
        basis = basis_of(asked)
        layers = [KanLayer(basis, a, b, basis.bound if k else None) for k, (a, b) in enumerate(zip(sizes, sizes[1:]))]
    return Network(tuple(layers), asked.scale or 1.0)


def deep_networks(spec: Spec) -> list[tuple[Network, tuple[str, ...]]]:
    """In each region one network for all unknowns, and one more for each unknown with settings of its own."""
    own, found = dict(spec.network.unknowns or {}), []
    for family in families(spec):
        shared = tuple(name for name in family if base(name) not in own)
        found += [(deep_network(inputs_of(spec), len(shared), spec.network), shared)] if shared else []
        for name in family:
            if name not in shared:
                found.append((deep_network(inputs_of(spec), 1, merged(own[base(name)], spec.network)), (name,)))
    return found


def merged(own: NetworkSpec, general: NetworkSpec) -> NetworkSpec:
    """An unknown's own settings, completed by the general ones."""
    return replace(
        general,
        basis=general.basis if own.basis == "auto" else own.basis,
        unknowns=None,
        **{k: v for k in SETTINGS if (v := getattr(own, k)) is not None},
    )


def described(network: Network) -> str:
    """A network in a few words: `[2, 10, 10, 1] chebyshev, degree 5`."""
    sizes = [network.layers[0].inputs, *(layer.outputs for layer in network.layers)]
    return f"{sizes} {', '.join(dict.fromkeys(kind_of(layer) for layer in network.layers))}"


def kind_of(layer: Layer) -> str:
    """A layer's kind in words."""
    if isinstance(layer, DenseLayer):
        return "tanh" if layer.before else "ramps"
    name = next(k for k, v in BASES.items() if isinstance(layer.basis, v))
    numbers = [f"{k} {v}" for k, v in layer.basis.arrays().items() if isinstance(v, (int, tuple))]
    return " ".join([name, *numbers])
