"""The design still is the design: imports go down, text needs no torch, nothing runs code from a file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kanpde"
FILES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}


def blocks() -> list[list[str]]:
    """The names under `Layers` in the design, block by block."""
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    section = text.split("## Layers")[1].split("\n## ")[0]
    found: list[list[str]] = [[]]
    for line in section.splitlines():
        if line.startswith("    "):
            found[-1] += line.split()
        elif line.strip() and found[-1]:
            found.append([])
    return [block for block in found if block]


PROGRAM, NUMBERS, TEXT = blocks()
ORDER = {name: place for place, name in enumerate([*PROGRAM, *NUMBERS, *TEXT])}


def unit(module: str) -> str:
    """The name in the list of layers that a module belongs to."""
    return module.split(".")[1] if "." in module else "kanpde"


def imported(tree: ast.AST) -> set[str]:
    """The modules of the package that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kanpde":
            full = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in MODULES else str(node.module) for name in full}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "kanpde"}
    return found


def test_the_list_holds_every_module_once() -> None:
    named = [*PROGRAM, *NUMBERS, *TEXT]
    assert len(named) == len(set(named))
    assert set(named) == {unit(module) for module in MODULES} - {"kanpde"}


@pytest.mark.parametrize("module", [name for name in MODULES if name != "kanpde"])
def test_imports_go_down_only(module: str) -> None:
    here = unit(module)
    for other in map(unit, imported(FILES[MODULES[module]])):
        assert other == here or ORDER[other] > ORDER[here], f"{module} imports {other}"


def test_no_imports_go_around() -> None:
    """Inside folders too: no module reaches itself."""
    edges = {name: imported(FILES[path]) for name, path in MODULES.items() if name != "kanpde"}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join([*above, name])
        if name not in done:
            for other in edges.get(name, ()):
                visit(other, (*above, name))
            done.add(name)

    for name in edges:
        visit(name, ())


@pytest.mark.parametrize("module", [name for name in MODULES if unit(name) not in PROGRAM])
def test_imports_stand_at_the_top(module: str) -> None:
    tree = FILES[MODULES[module]]
    inside = [
        node.lineno
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.ClassDef, ast.Lambda))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert not inside


def test_text_loads_no_torch() -> None:
    modules = sorted(name for name in MODULES if unit(name) in {*TEXT, *PROGRAM})
    code = f"import sys, importlib\nfor m in {modules!r}: importlib.import_module(m)\nsys.exit('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("name", ["check", "cli", "spec", "writers"])
def test_each_of_these_alone_loads_no_torch(name: str) -> None:
    code = f"import sys, kanpde.{name}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint"}
FORBIDDEN_MODULES = {"pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}


@pytest.mark.parametrize("module", MODULES)
def test_nothing_runs_code_from_a_file(module: str) -> None:
    for node in ast.walk(FILES[MODULES[module]]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, f"{module}:{node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            whole = ast.unparse(node.func)
            assert whole not in {"torch.load", "yaml.load", "yaml.unsafe_load", "numpy.load"}, whole
            assert whole != "np.load" or "allow_pickle=False" in ast.unparse(node), f"{module}:{node.lineno}"
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            assert not FORBIDDEN_MODULES & {name.split(".")[0] for name in names}, f"{module}:{node.lineno}"


@pytest.mark.parametrize("module", [n for n in MODULES if unit(n) not in {"cli", "commands", "report", "progress"}])
def test_nothing_else_prints(module: str) -> None:
    called = [node.func for node in ast.walk(FILES[MODULES[module]]) if isinstance(node, ast.Call)]
    assert not {"print"} & {func.id for func in called if isinstance(func, ast.Name)}


@pytest.mark.parametrize("module", MODULES)
def test_files_are_short_and_say_what_they_are(module: str) -> None:
    path = MODULES[module]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    assert ast.get_docstring(FILES[path]), path
