"""What a picture of a problem's domain shows."""

from __future__ import annotations

from kanpde.places import named_faces
from kanpde.plan import Plan
from kanpde.spec import Face, Spec
from kanpde.writers.domain import Domain, Side, draw_domain


def portrait(spec: Spec, planned: Plan) -> bytes:
    """The domain with its named sides and sampling points, as PNG bytes."""
    faces = [Face(axis, end) for axis in spec.box for end in ("min", "max")]
    sides = tuple(side_of(face, spec, planned) for face in faces)
    points = tuple(found.numpy() for found in planned.samples().values())
    return draw_domain(Domain(spec.title, spec.box, sides, points))


def side_of(face: Face, spec: Spec, planned: Plan) -> Side:
    """One side of the box with what is stated there."""
    here = [condition for condition in (*spec.initial, *spec.boundary) if condition.face == face]
    spoken = {known: word for word, known in named_faces(tuple(n for n in spec.box if n != "t")).items()}
    axis, end = tuple(spec.box).index(face.axis), int(face.side == "max")
    exact = all(condition.name in planned.built_in for condition in here)
    unstated = "periodic" if face.axis in spec.periodic else "no condition"
    kind = unstated if not here else "holds exactly" if exact else "penalised"
    text = ", ".join(condition.equation.text for condition in here) or unstated
    return Side(axis, end, spoken.get(face, str(face)), text, kind)
