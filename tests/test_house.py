"""The house: three scripts in the middle, support below, lab above; imports run down only."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = ("helper_functions", "model", "train")
BELOW = sorted((ROOT / "support").glob("*.py"))
ABOVE = sorted((ROOT / "lab").glob("*.py"))


def imported(trees):
    """Return the first parts of the names of the modules that are imported in some syntax trees."""
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module.partition(".")[0])
    return names


def is_door(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


@pytest.mark.parametrize("path", BELOW, ids=lambda path: path.name)
def test_what_is_below_imports_neither_a_script_nor_what_is_above(path):
    assert not imported([ast.parse(path.read_text())]) & {*SCRIPTS, "lab"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_opens_the_door_to_the_floor_above_at_its_end_only(script):
    *body, last = ast.parse((ROOT / f"{script}.py").read_text()).body
    assert "lab" not in imported(body)
    if is_door(last):
        assert imported([last]) == {"lab"}
        assert len(last.body) == 2


def test_the_plots_need_no_script_and_the_networks_no_training():
    for script, others in (
        ("helper_functions", {"model", "train", "support"}),
        ("model", {"train"}),
    ):
        body = ast.parse((ROOT / f"{script}.py").read_text()).body
        assert not imported(node for node in body if not is_door(node)) & others


@pytest.mark.parametrize("rooms", [BELOW, ABOVE], ids=["support", "lab"])
def test_each_room_stands_in_the_plan_of_its_floor(rooms):
    (plan,) = (path.read_text() for path in rooms if path.stem == "__init__")
    names = {path.stem for path in rooms} - {"__init__"}
    assert names <= set(re.findall(r"\w+", plan))


def test_nothing_runs_when_a_module_above_is_imported():
    quiet = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.Expr)
    for path in ABOVE:
        for node in ast.parse(path.read_text()).body:
            assert is_door(node) or isinstance(node, quiet), (path.name, node.lineno)
            assert not isinstance(node, ast.Expr) or isinstance(node.value, ast.Constant)
