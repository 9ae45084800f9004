"""Every construct of the manual: a file that states it and its exact solution, a law, and a mistake on record.

`constructs/` holds small problems with known solutions. A construct that is added to the manual, and so to the
program, fails here until a problem uses it, a test is named for it, and a wrong use of it is recorded.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from kanpde.manual import WORDS, chapters
from kanpde.proof import exact_residuals, prove
from kanpde.result import Outcome
from kanpde.samplers import SAMPLERS
from kanpde.solve import solve
from kanpde.spec import read_spec

TESTS = Path(__file__).parent
FOLDER = TESTS / "constructs"
FILES = sorted(FOLDER.glob("*.yaml"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

Construct = tuple[str, str]  # a chapter of the manual, and the row's name or a word
ROWS: list[Construct] = [(title, name) for title, _, rows in chapters() for name, _, _ in rows]
LISTED: list[Construct] = [(title, word) for title, words in WORDS.items() for word in words]
MATHEMATICS = {title for title, _ in ROWS} - {"Numerical choices"}

USED: dict[str, str] = {  # how a problem uses what has no word of its own
    "`x: [a, b]`": r"\bx: \[",
    "`t: [a, b]`": r"\bt: \[",
    "a shape": r"^  (?:hole|plate|ball|bore|body|core): ",
    "`shape.part`": r"^ +[a-z]+\.[a-z_]+[:,]",
    "several": r"^  [a-z.]+, [a-z.]+.*: ",
    "`u = …`": r"\bu = ",
    "`dn(u) = …`": r"\bdn\(u\) = ",
    "`dn(u) + …*u = …`": r"\bdn\(u\) \+ .*\*?u = ",
    "any equation": r"\bu\*dn\(u\) = ",
    "a list": r": \[u = .*, v = ",
    "`x: periodic`": r"\bx: periodic",
    "`{in: region, is: …}`": r"\{in: .*, is: ",
    "`name: {region: …}`": r"k: \{plate - core: ",
    "`jump(…) = …`": r"\bjump\(k\*dn\(u\)\) = ",
    "`u(x=…, y=…) = …`": r"\bu\(x=.*, y=.*\) = ",
    "`integral(…) = …`": r"\bintegral\(u\^2\) = ",
    "`mean(…) = …`": r"\bmean\(u.*\) = ",
    "`+ - * /`, `^` or `**`": r"\*\*[\s\S]*\^",
    "`< <= > >= == !=`": r"<=|<|>",
    "`(a, b)`": r"\(\(?1, x\)",
    "`u_x`, `u_xy`, `u_tt`": r"\bv_xy[\s\S]*u_x|u_tt",
    "`dx(u)`, `dxy(u)`, `dtt(u)`": r"\bdxy\(",
}
PATTERNS = {"`shape.part`"}  # of those above, in mistakes too
STATED = "test_constructs::test_exact_solutions"
LAWS: dict[str, str] = {  # of a chapter, else of its rows: file::test, the beginning of its name
    "Sections": "test_spec::test_the_schema_covers_every_section",
    "Domain": STATED,
    "Shapes": "test_geometries::test_the_level_is_the_signed_distance",
    "Places on a boundary": STATED,
    "Conditions": STATED,
    "Several regions": "test_interfaces::test_jumps_of_another_size_or_sign_are_refuted",
    "Constraints": "test_further::test_",
    "Formulas": "test_expression::test_operators_bind_as_in_python",
    "Functions": "test_operators::test_functions_in_formulas_agree_with_their_tensors",
    "Operators": "test_operators::test_operators_are_their_hand_formulas",
    "Fitted names and data": "test_fits::test_intervals_cover_the_truth",
    "Bases": "test_bases::test_derivatives_are_those_of_automatic_differentiation",
    "Optimisers": "test_optimisers::test_every_optimiser_lowers_every_sum_of_squares",
    "Formats": "test_writers::test_a_result_comes_back_bit_for_bit",
    "Samplers": "test_samplers::test_points_fill_the_cube",
    "`network.basis`": "test_bases::test_the_vocabulary_holds_every_basis",
    "`network.degree`": "test_slopes::test_errors_of_polynomials_fall",
    "`network.grid`": "test_slopes::test_errors_of_splines_fall",
    "`network.exponents`": "test_bases::test_settings_shape_the_basis",
    "`network.width`": "test_spec::test_stages_and_networks",
    "`network.depth`": "test_spec::test_stages_and_networks",
    "`network.scale`": "test_bases::test_the_scale_of_a_network",
    "`network.unknowns`": "test_spec::test_stages_and_networks",
    "`sampling.interior`": "test_samplers::test_what_is_asked_for_is_drawn",
    "`sampling.boundary`": "test_samplers::test_what_is_asked_for_is_drawn",
    "`sampling.initial`": "test_samplers::test_what_is_asked_for_is_drawn",
    "`sampling.adapt`": "test_samplers::test_candidates_with_large_residuals",
    "`training.stages`": "test_spec::test_stages_and_networks",
    "`training.stages.optimiser`": "test_optimisers::test_",
    "`training.stages.steps`": "test_spec::test_stages_and_networks",
    "`training.stages.time`": "test_constructs::test_stages_end",
    "`training.stages.rate`": "test_optimisers::test_an_optimiser_goes_on",
    "`training.stages.adapt`": "test_samplers::test_adaptive_samples",
    "`training.precision`": "test_precision::test_steps_stay_where_the_coefficients_are",
    "`training.seed`": "test_reproducibility::test_every_method_gives_the_same_bits",
    "`training.device`": "test_precision::test_steps_stay_where_the_coefficients_are",
    "`training.sparsify`": "test_sparing::test_a_small_network_is_found",
    "`training.threads`": "test_checkpoint::test_another_number_of_threads_is_told",
    "`training.derivatives`": "test_derivatives::test_taylor_and_autograd_agree",
    "`training.intervals`": "test_fits::test_profiles_end_where",
    "`training.checkpoint`": "test_checkpoint::test_a_killed_run_ends",
    "`training.stop`": "test_constructs::test_runs_stop",
    "`training.stop.error`": "test_trust::test_without_a_known_solution",
    "`training.stop.residual`": "test_constructs::test_runs_stop",
    "`training.stop.time`": "test_marching::test_the_time_limit_holds",
    "`training.stop.steps`": "test_reproducibility::test_a_run_cut_short",
    "`output.grid`": "test_constructs::test_the_output",
    "`output.times`": "test_constructs::test_the_output",
    "`output.extra`": "test_constructs::test_the_output",
    "`output.units`": "test_figures::test_axes_and_titles",
    "`output.labels`": "test_figures::test_axes_and_titles",
    "`output.vectors`": "test_figures::test_streamlines_follow_the_vector",
    "`output.save`": "test_constructs::test_the_output",
    "`reference.file`": "test_references::test_every_format_gives_the_same_values",
    "`reference.tolerance`": "test_results::test_a_difference_above_the_tolerance",
    "`dn`": "test_operators::test_the_normal_derivative_points_out",
    "`jump`": "test_interfaces::test_jumps_of_another_size_or_sign_are_refuted",
    "`integral`": "test_further::test_integrals_become",
    "`mean`": "test_further::test_integrals_become",
    "`u(x=…, y=…) = …`": "test_further::test_values_at_a_point_become",
    "`integral(…) = …`": "test_further::test_integrals_become",
    "`mean(…) = …`": "test_further::test_integrals_become",
    "`n_x`, `n_y`, `n_z`": "test_normals::test_they_make_the_normal_derivative",
    "`fit.of`": "test_fits::test_bands_of_functions_cover_the_truth",
    "`fit.start`": "test_fits::test_the_start_does_not_matter",
    "`fit.range`": "test_fits::test_a_range_is_kept",
    "`data.file`": "test_further::test_readings_are_matched_by_name",
    "`data.sigma`": "test_further::test_a_deviation_is_a_number",
    "`data.columns`": "test_further::test_readings_are_matched_by_name",
}


def words(name: str) -> list[str]:
    """The words of a row in files: `fit.start` is `start` there, `box(x=…)` is `box`."""
    return [re.split(r"[(: ]", word)[0].rpartition(".")[2] for word in re.findall(r"`([^`]+)`", name)]


def token(word: str) -> str:
    """A pattern for a word by itself."""
    return rf"(?<![\w-]){re.escape(word)}(?![\w-])"


@cache
def problems() -> tuple[str, ...]:
    """The problems of this folder and those that ship."""
    return tuple(path.read_text(encoding="utf-8") for path in (*FILES, *(TESTS.parent / "problems").glob("*.yaml")))


@cache
def shown() -> str:
    """What the recorded mistakes show: the lines of the files, and the places in them."""
    texts = [path.read_text(encoding="utf-8") for path in TESTS.glob("*mistakes*/*.txt")]
    lines = [line for text in texts for line in text.splitlines()]
    return "\n".join(line if line.startswith("    ") else " ".join(line.split(":", 4)[3:4]) for line in lines)


@cache
def laws(file: str) -> list[str]:
    """The names of the tests of a file."""
    tree = ast.parse((TESTS / f"{file}.py").read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def solid(path: Path) -> None:
    """Skips what needs the extra for surfaces where it is not installed."""
    if "mesh(" in path.read_text(encoding="utf-8"):
        pytest.importorskip("trimesh")
        pytest.importorskip("meshio")


@every_file
def test_exact_solutions_leave_no_residual_and_raise_no_warning(path: Path) -> None:
    solid(path)
    spec = read_spec(path)
    assert max(part.relative for part in exact_residuals(spec)) < 1e-10
    proof = prove(spec)
    assert not proof.mistakes and not proof.warnings


@pytest.mark.parametrize("construct", [row for row in ROWS if row[0] in MATHEMATICS], ids=": ".join)
def test_every_construct_is_used_in_a_problem_with_a_known_solution(construct: Construct) -> None:
    patterns = [USED[construct[1]]] if construct[1] in USED else map(token, words(construct[1]))
    assert any(re.search(pattern, text, re.MULTILINE) for pattern in patterns for text in problems())


@pytest.mark.parametrize("construct", [*ROWS, *LISTED, *(("Samplers", name) for name in SAMPLERS)], ids=": ".join)
def test_of_every_construct_there_is_a_law(construct: Construct) -> None:
    law = LAWS.get(construct[1]) or LAWS[construct[0]]
    file, _, name = law.partition("::")
    assert any(test.startswith(name) for test in laws(file))


@pytest.mark.parametrize("construct", [row for row in ROWS if words(row[1])] + LISTED, ids=": ".join)
def test_of_every_construct_a_mistake_is_shown(construct: Construct) -> None:
    patterns = [USED[construct[1]]] if construct[1] in PATTERNS else map(token, words(construct[1]) or [construct[1]])
    assert any(re.search(pattern, shown(), re.MULTILINE) for pattern in patterns)


def test_no_law_is_of_nothing() -> None:
    known = {part for construct in (*ROWS, *LISTED) for part in construct}
    assert LAWS.keys() - {"Samplers"} <= known and USED.keys() <= known


def test_nothing_is_left_for_later() -> None:
    package = TESTS.parent / "kanpde"
    texts = {path.name: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    later = re.compile(r"not yet (?:supported|implemented|possible|available)|raise NotImplementedError|\bTODO\b")
    assert not [name for name, text in texts.items() if later.search(text)]


def test_the_output_is_what_was_asked_for() -> None:
    spec = read_spec(FOLDER / "string.yaml", ("network.width=40", "training.threads=1"))
    found = solve(spec).tabulate()
    assert list(found.axes["t"]) == [0, 0.5, 1] and len(found.axes["x"]) == 21
    assert found.fields["slope"].kind == "extra" and spec.output.save == ("h5",)


def test_runs_stop_at_the_residual_asked_for() -> None:
    chosen = ("training.stop.residual=1e-2", "training.threads=1")
    assert solve(read_spec(FOLDER / "periodic_plane.yaml", chosen)).outcome is Outcome.CONVERGED


@pytest.mark.slow
def test_stages_end_when_their_time_is_over() -> None:
    stages = "training.stages=[{optimiser: adam, time: 0.05, rate: 1e-3}, {optimiser: levenberg-marquardt, steps: 2}]"
    chosen = (stages, "network.basis=chebyshev", "network.width=3", "network.depth=1", "training.threads=1")
    seen: list[str] = []
    solve(read_spec(FOLDER / "neumann_integral.yaml", chosen), watch=lambda line: seen.append(line.stage))
    assert list(dict.fromkeys(stage.split()[0] for stage in seen))[:2] == ["adam", "levenberg-marquardt"]


LOOSE = {  # what 300 ramps reach in a minute where it is not 1e-6: readings with noise, more coordinates, a front
    "conductivity": 1e-2,
    "diffusivity": 1e-2,
    "solid_in_time": 1e-3,
    "two_parameters": 1e-4,
    "two_parameters_disc": 2e-2,
}
OWN = {"two_bases"}  # networks that are asked for


@pytest.mark.slow
@every_file
def test_problems_are_solved_and_the_error_is_told(path: Path) -> None:
    solid(path)
    width = () if path.stem in OWN else ("network.width=300",)
    found = solve(read_spec(path, (*width, "training.stop.time=60", "training.threads=1")))
    for name, error in found.errors().items():
        told = found.estimated_errors[name].relative_l2
        assert error.relative_l2 <= LOOSE.get(path.stem, 1e-6) and error.relative_l2 <= max(10 * told, 1e-12)
