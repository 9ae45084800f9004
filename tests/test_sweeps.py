"""Sweep files: what their members are, and wrong ones beside the exact text that the user sees.

KANPDE_UPDATE_GOLDEN=1 writes the texts anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from program import run

from kanpde.batch.folder import Batch, read_batch, write_batch
from kanpde.batch.members import Member, members
from kanpde.batch.sweep import SweepFile, read_sweep
from kanpde.commands.batch import batch
from kanpde.errors import KanpdeError, SpecError
from kanpde.spec import read_spec_text

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "tests" / "sweep_mistakes"
PROBLEM = (FOLDER / "problem.yaml").read_text(encoding="utf-8")


def planned(folder: Path, sweep: str, problem: str = PROBLEM, common: tuple[str, ...] = ()) -> tuple[Member, ...]:
    """The members of a sweep over one problem."""
    (folder / "problem.yaml").write_text(problem)
    (folder / "sweep.yaml").write_text(sweep)
    return members(read_sweep(folder / "sweep.yaml"), common)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.sweep")), ids=lambda path: path.stem)
def test_mistakes_are_told_where_they_are(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    with pytest.raises(SpecError) as caught:
        members(read_sweep(Path(path.name)))
    golden = path.with_suffix(".txt")
    if os.environ.get("KANPDE_UPDATE_GOLDEN"):
        golden.write_text(f"{caught.value}\n", encoding="utf-8")
    assert golden.read_text(encoding="utf-8") == f"{caught.value}\n"


VARY = "vary: {network.width: [8, 16], definitions.k: [1, 2, 0.01/pi]}"
SWEEPS = {
    "problem: problem.yaml": 1,
    f"problem: problem.yaml\n{VARY}": 6,
    f"problem: problem.yaml\nseeds: [0, 1]\n{VARY}": 12,
    "problem: problem.yaml\nzip: {network.width: [8, 16], network.degree: [3, 4]}": 2,
    f"problem: problem.yaml\nzip: {{network.degree: [3, 4], network.depth: [1, 2]}}\n{VARY}": 12,
    f"problem: problem.yaml\n{VARY}\nexclude: [{{network.width: 8, definitions.k: 1}}]": 5,
    f"problem: problem.yaml\nseeds: [0, 1]\n{VARY}\nexclude: [{{training.seed: 1, network.width: 8}}]": 9,
    f"problem: problem.yaml\n{VARY}\ninclude: [{{network.width: 64}}, {{network.width: 8, definitions.k: 1}}]": 7,
    "problem: problem.yaml\ninclude: [{network.width: 64}, {network.width: 8}]": 2,
    "problem: [problem.yaml, 'p*.yaml', problem.yaml]": 1,
    "problem: problem.yaml\nvary: {training.stages: [[{optimiser: adam, steps: 2}], [{optimiser: l-bfgs}]]}": 2,
}


@pytest.mark.parametrize(("sweep", "number"), SWEEPS.items())
def test_every_combination_is_a_member_of_its_own(sweep: str, number: int, tmp_path: Path) -> None:
    found = planned(tmp_path, sweep)
    assert len(found) == len({one.name for one in found}) == number
    for one in found:
        spec = one.spec()
        assert spec.overrides == one.overrides and spec.text == PROBLEM


def test_names_say_what_members_are_and_stay_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = f"problem: problem.yaml\nseeds: [3]\n{VARY}"
    found = planned(Path(), sweep)
    assert found[2].name.startswith("problem_width-8_k-0.01~pi_seed-3-")
    assert found == planned(Path(), sweep)
    others = planned(Path(), sweep, PROBLEM + "# another text\n")
    assert not {one.name for one in found} & {one.name for one in others}
    common = planned(Path(), sweep, common=("training.stop.time=9",))
    assert not {one.name for one in found} & {one.name for one in common}


def test_a_plan_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    found = planned(tmp_path, f"problem: problem.yaml\nseeds: [0, 1]\n{VARY}")
    made = Batch(tmp_path / "out", "sweep.yaml", "title", found)
    write_batch(made)
    assert read_batch(tmp_path / "out") == made
    with pytest.raises(KanpdeError, match=r"no member 'problm'"):
        made.member("problm")


def test_a_folder_of_other_things_or_of_another_batch_is_left_alone(tmp_path: Path) -> None:
    found = planned(tmp_path, f"problem: problem.yaml\n{VARY}")
    with pytest.raises(KanpdeError, match="other things than a batch"):
        write_batch(Batch(tmp_path, "sweep.yaml", "", found))
    write_batch(Batch(tmp_path / "out", "sweep.yaml", "", found))
    write_batch(Batch(tmp_path / "out", "moved/sweep.yaml", "", found[:2]))
    with pytest.raises(KanpdeError, match="name another folder"):
        write_batch(Batch(tmp_path / "out", "other.yaml", "", planned(tmp_path, "problem: problem.yaml")))


@pytest.mark.parametrize("text", ["", "{", "{}", '{"format": "kanpde-batch 9"}', "[1, 2]"])
def test_a_damaged_plan_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "batch.json").write_text(text)
    with pytest.raises(KanpdeError, match="damaged"):
        read_batch(tmp_path)


@pytest.mark.parametrize("name", ["../elsewhere", "/etc", ".hidden", "a/b", ""])
def test_no_member_leads_out_of_the_batch(name: str, tmp_path: Path) -> None:
    found = planned(tmp_path, "problem: problem.yaml")
    write_batch(Batch(tmp_path / "out", "sweep.yaml", "", found))
    plan = tmp_path / "out" / "batch.json"
    plan.write_text(plan.read_text().replace(found[0].name, name))
    with pytest.raises(KanpdeError, match="damaged"):
        read_batch(tmp_path / "out")


def blocks(language: str) -> list[str]:
    """The code blocks of the manual of batches in one language."""
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_what_the_manual_shows_is_read(tmp_path: Path) -> None:
    sweep, problem = blocks("yaml")
    (tmp_path / "problems").symlink_to(ROOT / "problems")
    (tmp_path / "sweep.yaml").write_text(sweep)
    assert len(members(read_sweep(tmp_path / "sweep.yaml"))) == 3 * (3 * 2 * 2 - 2)
    read_spec_text(problem, "problem.yaml", tmp_path)
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    entries = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert set(SweepFile.model_fields) - {"kanpde"} <= entries


def test_the_options_in_the_manual_exist() -> None:
    shown = " ".join(blocks("sh")).replace("\\\n", " ")
    calls = [line for line in shown.splitlines() if "kanpde batch" in line or "kanpde.sif batch" in line]
    known = {name for command in batch.commands.values() for option in command.params for name in option.opts}
    assert calls and {word for line in calls for word in re.findall(r"--[\w-]+", line)} <= known


def test_a_sweep_is_not_taken_for_a_problem_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("problem: s.yaml\n")
    told = run("batch", tmp_path / "t.yaml", "--dry-run")
    assert told.exit_code == 2 and "there is no file 's.yaml'" in told.stderr and "did you mean" not in told.stderr
    (tmp_path / "ss.yaml").write_text("unknowns: [u]\n")
    assert "did you mean 'ss.yaml'" in run("batch", tmp_path / "t.yaml", "--dry-run").stderr
