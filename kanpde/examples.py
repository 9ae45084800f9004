"""An example of every construct of the file format, each in a problem in which it makes sense."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from kanpde.places import KEYWORDS, SIDES
from kanpde.vocabulary import CONSTANTS, FUNCTIONS

PLAIN = """\
unknowns: [u]
domain: {x: [0, 1], y: [0, 1]}
equations: {poisson: -lap(u) = 1}
boundary: {all: u = 0}"""  # what an example stands in, whose lines it replaces by their first words
PLATE = """\
domain: {shapes: {plate: 'rectangle(x=[0, 2], y=[0, 1])', hole: 'disc(center=[1, 0.5], radius=0.2)'}, \
region: plate - hole}"""
HEAT = "domain: {x: [0, 1], t: [0, 1]}\nequations: {heat: u_t = u_xx}\ninitial: {u: 0}"
WAVE = "domain: {x: [0, 1], t: [0, 1]}\nequations: {wave: u_tt = u_xx}\ninitial: {u: 0, u_t: 0}"
ELASTIC = "unknowns: [u, v]\nequations: {one: lap(u) = 0, two: lap(v) = 0}\nboundary: {all: [u = 0, v = 0]}"


@dataclass(frozen=True)
class Example:
    """Lines of a problem file, and those of others that they need around them."""

    lines: str
    around: str = ""
    files: Mapping[str, str] = field(default_factory=dict)  # beside the problem: contents by name

    @property
    def whole(self) -> str:
        """A problem file with these lines in it."""
        found: dict[str, str] = {}
        for line in "\n".join([PLAIN, *filter(None, [self.around]), self.lines]).splitlines():
            found[line.partition(":")[0]] = line
        return "\n".join(found.values()) + "\n"


Row = tuple[str, str, Example]  # of a table: a construct, its meaning, an example
READINGS = {"probe.csv": "x,y,u\n0.5,0.5,0.07\n"}
ANSWER = {"answer.csv": "x,y,u\n0.5,0.5,0.07\n"}
SECTIONS: Mapping[str, Example] = {
    "kanpde": Example("kanpde: 1"),
    "title": Example("title: Poisson equation on a square"),
    "unknowns": Example("unknowns: [u, v]", ELASTIC.partition("\n")[2]),
    "domain": Example("domain: {x: [0, 1], y: [-pi, pi]}"),
    "equations": Example("equations: {helmholtz: lap(u) + 4*u = 0}"),
    "definitions": Example("definitions: {k: 2, f: sin(k*x)}", "equations: {helmholtz: lap(u) + k^2*u = f}"),
    "parameters": Example("parameters: {nu: [0.1, 1]}", "equations: {poisson: -nu*lap(u) = 1}"),
    "fit": Example("fit: {k: {start: 1}}", f"equations: {{p: -k*lap(u) = 1}}\n{'data: {probe: {file: probe.csv}}'}",
                   READINGS),
    "initial": Example("initial: {u: sin(pi*x), u_t: 0}", WAVE),
    "boundary": Example("boundary: {left: u = 0, right: dn(u) + u = 1, rest: dn(u) = 0}"),
    "constraints": Example("constraints: {size: integral(u) = 1}", "boundary: {all: dn(u) = 0}"),
    "data": Example("data: {probe: {file: probe.csv, sigma: 0.01}}",
                    "fit: {k: {start: 1}}\nequations: {p: -k*lap(u) = 1}", READINGS),
    "exact": Example("exact: {u: sin(pi*x)*sin(pi*y)}", "equations: {poisson: -lap(u) = 2*pi^2*sin(pi*x)*sin(pi*y)}"),
    "reference": Example("reference: {file: answer.csv, tolerance: 1e-4}", files=ANSWER),
    "network": Example("network: {basis: chebyshev, degree: 8, width: 10, depth: 2}"),
    "enforce": Example("enforce: soft"),
    "sampling": Example("sampling: {interior: 4000, boundary: 400}"),
    "training": Example("training: {stop: {error: 1e-6, time: 60}}"),
    "output": Example("output: {grid: [101, 51], extra: {speed: u_x}, save: [h5]}"),
}  # fmt: skip
DOMAINS: tuple[Row, ...] = (
    ("`x: [a, b]`", "an interval of a coordinate; ends are numbers or formulas of constants",
     Example("domain: {x: [0, 1], y: [-pi, pi]}")),
    ("`t: [a, b]`", "time, with `initial` values at its start", Example(HEAT.splitlines()[0], HEAT)),
    ("`shapes`", "shapes by name", Example("domain: {shapes: {plate: 'disc(center=[0, 0], radius=1)'}}")),
    ("`region`", "shapes joined: `+` union, `-` difference, `&` intersection, which binds first, and brackets",
     Example(PLATE)),
    ("`parts`", "named pieces of the boundary: of which part, and where on it",
     Example(f"{PLATE[:-1]}, parts: {{inlet: {{of: plate.left, where: y < 0.3}}}}}}",
             "boundary: {inlet: u = 1, rest: u = 0}")),
)  # fmt: skip
TWO = """\
domain: {shapes: {plate: 'rectangle(x=[-1, 1], y=[-1, 1])', inclusion: 'disc(center=[0, 0], radius=0.5)'}, \
region: plate}
equations: {outer: {in: plate - inclusion, is: div(k*grad(u)) = 1}, inner: {in: inclusion, is: div(k*grad(u)) = 0}}
definitions: {k: {plate - inclusion: 1, inclusion: 10}}
boundary: {plate: u = 0, inclusion: [jump(u) = 0, jump(k*dn(u)) = 0]}"""
BY_REGION = {line.partition(":")[0]: Example(line, TWO) for line in TWO.splitlines()}
REGIONS: tuple[Row, ...] = (
    ("`{in: region, is: …}`",
     "an equation in one region of several, which together fill the domain and do not overlap; in each, every unknown "
     "is a field of its own and has its equation", BY_REGION["equations"]),
    ("`name: {region: …}`", "a definition, or an exact solution, for each region; `where(…)` serves too",
     BY_REGION["definitions"]),
    ("`jump(…) = …`",
     "what holds where two regions meet: outer minus inner side of the shape whose boundary it is, and `dn` is the "
     "slope along that shape's outward normal. Twice as many are needed as on a side; conditions with `jump` speak of "
     "what lies between regions, those without of the domain's own boundary", BY_REGION["boundary"]),
    ("`all`, `rest`", "with `jump`, all places where regions meet",
     Example("boundary: {plate: u = 0, all: [jump(u) = 0, jump(k*dn(u)) = 0]}", TWO)),
)  # fmt: skip
CONDITIONS: tuple[Row, ...] = (
    ("`u = …`", "a value (Dirichlet)", Example("boundary: {all: u = x*y}")),
    ("`dn(u) = …`", "a slope along the outward normal (Neumann)", Example("boundary: {left: u = 0, rest: dn(u) = 1}")),
    ("`dn(u) + …*u = …`", "a mixture (Robin)", Example("boundary: {all: dn(u) + 2*u = 0}")),
    ("any equation", "of the unknowns and their derivatives",
     Example("boundary: {left: u_x = u^2, rest: u = 0}")),
    ("`n_x`, `n_y`, `n_z`", "the components of the outward normal, where no unknown or definition `n` has such a slope",
     Example("boundary: {all: n_x*u_x + 2*n_y*u_y = n_x}", "constraints: {gauge: mean(u) = 0}")),
    ("a list", "of several equations on one place",
     Example("boundary: {all: [u = 0, dn(u) = 0]}", "equations: {plate: biharm(u) = 1}")),
    ("`free`", "nothing is stated there", Example("boundary: {right: free, rest: u = 0}")),
    ("`x: periodic`", "both ends of a coordinate are one: of a region, two whole sides of one box",
     Example("boundary: {x: periodic, rest: u = 0}")),
)  # fmt: skip
PLACES: tuple[Row, ...] = (
    (", ".join(f"`{side}`" for side in SIDES[:4]), "the sides of an interval or a rectangle",
     Example("boundary: {left: u = 1, rest: u = 0}")),
    ("`x_min`, `x_max`, …, `z_max`", "the sides of a box of any dimension",
     Example("boundary: {x_min: u = 1, rest: u = 0}")),
    ("a shape", "all that remains of its boundary", Example("boundary: {hole: dn(u) = 0, plate: u = 0}", PLATE)),
    ("`shape.part`", "a part of it; a part's name alone where only one shape has it",
     Example("boundary: {plate.left: u = 1, rest: u = 0}", PLATE)),
    (", ".join(f"`{word}`" for word in KEYWORDS), "everything, and what has no conditions yet",
     Example("boundary: {all: u = 0}")),
    ("several", "with a comma between", Example("boundary: {'left, right': u = 0, rest: dn(u) = 0}")),
)  # fmt: skip
FITS: tuple[Row, ...] = (
    ("`u(x=…, y=…) = …`",
     "a value, or a derivative, at a point; at every time where `t` is not named, and for all parameters",
     Example("constraints: {gauge: 'u(x=0, y=0) = 1'}", "boundary: {all: dn(u) = 0}")),
    ("`integral(…) = …`", "an integral over the coordinates other than `t`",
     Example("constraints: {mass: integral(u^2) = 1}", "boundary: {all: dn(u) = 0}")),
    ("`mean(…) = …`", "a mean over them", Example("constraints: {gauge: mean(u) = 0}", "boundary: {all: dn(u) = 0}")),
)  # fmt: skip
ARITHMETIC: tuple[Row, ...] = (
    ("`+ - * /`, `^` or `**`", "arithmetic; powers bind first, from the right",
     Example("equations: {p: -lap(u) = -x^2/2 + 3*(y - 1)}")),
    ("`< <= > >= == !=`", "comparisons, in `where(…)` and under `parts`",
     Example("equations: {p: '-lap(u) = where(x < y, 1, 0)'}")),
    (", ".join(f"`{name}`" for name in CONSTANTS), "constants", Example("equations: {p: -lap(u) = pi*e^x}")),
    ("`u_x`, `u_xy`, `u_tt`", "partial derivatives of an unknown", Example("equations: {p: u_xx + u_yy = u_xy}")),
    ("`dx(u)`, `dxy(u)`, `dtt(u)`", "the same, as elsewhere", Example("equations: {p: dxx(u) + dyy(u) = dxy(u)}")),
    ("`(a, b)`", "a vector, of as many components as there are coordinates other than `t`",
     Example("equations: {p: 'dot((1, x), grad(u)) = lap(u)'}")),
)  # fmt: skip
SHAPED: Mapping[str, str] = {
    "interval": "interval(x=[0, 1])",
    "rectangle": "rectangle(x=[0, 2], y=[0, 1])",
    "disc": "disc(center=[0, 0], radius=1)",
    "ellipse": "ellipse(center=[0, 0], radii=[2, 1], angle=pi/6)",
    "annulus": "annulus(center=[0, 0], inner=0.5, outer=1)",
    "polygon": "polygon(points=[[0, 0], [2, 0], [1, 1]])",
    "box": "box(x=[0, 1], y=[0, 1], z=[0, 2])",
    "ball": "ball(center=[0, 0, 0], radius=1)",
    "cylinder": "cylinder(center=[0, 0, 0], radius=1, height=2, axis=x)",
    "mesh": "mesh(file=solid.stl)",
}
SPACES = {"interval": "equations: {p: u_xx = 1}"}  # around them, where a plane is not their place
CORNERS = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
FACES = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]
SOLID = {
    "solid.stl": "solid s\n"
    + "".join(
        "facet normal 0 0 0\nouter loop\n"
        + "".join("vertex {} {} {}\n".format(*CORNERS[k]) for k in face)
        + "endloop\nendfacet\n"
        for face in FACES
    )
    + "endsolid s\n"
}
CALLS: Mapping[str, Example] = {
    **{name: Example(f"equations: {{p: -lap(u) = {name}(x)}}") for name, f in FUNCTIONS.items() if f.arguments == 1},
    "atan2": Example("equations: {p: '-lap(u) = atan2(y, x)'}"),
    "min": Example("equations: {p: '-lap(u) = min(x, y)'}"),
    "max": Example("equations: {p: '-lap(u) = max(x, y)'}"),
    "mod": Example("equations: {p: '-lap(u) = mod(x, 0.5)'}"),
    "where": Example("equations: {p: '-lap(u) = where(x < y, 1, 0)'}"),
    "d": Example("equations: {p: 'd(x*u, x, x) + d(u, y, y) = 1'}"),
    "lap": Example("equations: {poisson: -lap(u) = 1}"),
    "grad": Example("equations: {p: 'lap(u) = dot(grad(u), grad(u))'}"),
    "div": Example("equations: {p: div((1 + x)*grad(u)) = 0}"),
    "dot": Example("equations: {p: 'lap(u) = dot((1, x), grad(u))'}"),
    "curl": Example("equations: {one: 'curl((u, v)) = 1', two: 'div(u, v) = 0'}", ELASTIC),
    "biharm": Example("equations: {plate: biharm(u) = 1}", "boundary: {all: [u = 0, dn(u) = 0]}"),
    "jump": BY_REGION["boundary"],
    "dn": Example("boundary: {all: dn(u) + u = 0}"),
    "integral": Example("constraints: {size: integral(u^2) = 1}", "boundary: {all: dn(u) = 0}"),
    "mean": Example("constraints: {gauge: mean(u) = 0}", "boundary: {all: dn(u) = 0}"),
}
SETTINGS: Mapping[str, str] = {
    "network.basis": "network: {basis: bspline}",
    "network.degree": "network: {basis: chebyshev, degree: 8}",
    "network.grid": "network: {basis: bspline, degree: 7, grid: 10}",
    "network.exponents": "network: {basis: jacobi, exponents: [0.5, 0.5]}",
    "network.width": "network: {basis: chebyshev, width: 20}",
    "network.depth": "network: {basis: chebyshev, depth: 3}",
    "network.scale": "network: {scale: 10}",
    "network.unknowns": "network: {basis: chebyshev, unknowns: {u: {width: 8}}}",
    "sampling.interior": "sampling: {interior: 4000}",
    "sampling.boundary": "sampling: {boundary: 400}",
    "sampling.initial": "sampling: {initial: 400}",
    "sampling.adapt": "sampling: {adapt: true}",
    "training.stages": "training: {stages: [{optimiser: adam, steps: 500}, {optimiser: l-bfgs}]}",
    "training.stages.optimiser": "training: {stages: [{optimiser: levenberg-marquardt}]}",
    "training.stages.steps": "training: {stages: [{optimiser: adam, steps: 500}]}",
    "training.stages.time": "training: {stages: [{optimiser: adam, time: 30}]}",
    "training.stages.rate": "training: {stages: [{optimiser: adam, rate: 1e-3}]}",
    "training.stages.adapt": "training: {stages: [{optimiser: l-bfgs, adapt: false}]}",
    "training.precision": "training: {precision: float32}",
    "training.seed": "training: {seed: 1}",
    "training.device": "training: {device: cuda}",
    "training.threads": "training: {threads: 2}",
    "training.derivatives": "training: {derivatives: autograd}",
    "training.intervals": "training: {intervals: profile}",
    "training.sparsify": "training: {sparsify: 1e-3}",
    "training.checkpoint": "training: {checkpoint: 600}",
    "training.stop": "training: {stop: {error: 1e-6, time: 60}}",
    "training.stop.error": "training: {stop: {error: 1e-6}}",
    "training.stop.residual": "training: {stop: {residual: 1e-8}}",
    "training.stop.time": "training: {stop: {time: 60}}",
    "training.stop.steps": "training: {stop: {steps: 1000}}",
    "output.grid": "output: {grid: [101, 51]}",
    "output.times": "output: {times: [0, 0.5, 1]}",
    "output.extra": "output: {extra: {slope: u_x}}",
    "output.units": "output: {units: {x: m, u: K}}",
    "output.labels": "output: {labels: {u: temperature}}",
    "output.vectors": "output: {extra: {p: -u_x, q: -u_y}, vectors: {flux: [p, q]}}",
    "output.save": "output: {save: [h5]}",
    "reference.file": "reference: {file: answer.csv}",
    "reference.tolerance": "reference: {file: answer.csv, tolerance: 1e-4}",
    "fit.start": "fit: {k: {start: 1}}",
    "fit.range": "fit: {k: {range: [0.1, 10]}}",
    "fit.of": "fit: {k: {of: [x], start: 1}}",
    "data.file": "data: {probe: {file: probe.csv}}",
    "data.sigma": "data: {probe: {file: probe.csv, sigma: 0.01}}",
    "data.columns": "data: {probe: {file: probe.csv, columns: {u: u}}}",
}
FITTING = "equations: {p: -k*lap(u) = 1}\nfit: {k: {start: 1}}\ndata: {probe: {file: probe.csv}}"
TIMED = {"output.times", "sampling.initial"}


def setting(path: str) -> Example:
    """A setting in a problem."""
    around = FITTING if path.partition(".")[0] in ("fit", "data") else HEAT if path in TIMED else ""
    return Example(SETTINGS[path], around, {**READINGS, **ANSWER})


@dataclass(frozen=True)
class Whole(Example):
    """An example that is a problem file by itself."""

    @property
    def whole(self) -> str:
        """The file."""
        return self.lines
