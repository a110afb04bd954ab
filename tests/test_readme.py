"""The README's examples run as they are written, and its pictures are there."""

import re
from pathlib import Path

import pytest
import torch

from lab import command_line
from model import CircleModelV2
from tools.results import agree

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLES = [
    code
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    if "from helper_functions import" in code
]


@pytest.mark.parametrize("code", EXAMPLES, ids=["torch", "classes", "scikit-learn"])
def test_the_examples_of_the_plots_run(tmp_path, monkeypatch, code):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    exec(compile(code, "README.md", "exec"), {"__name__": "example"})
    for name in re.findall(r'"(\w+\.png)"', code):
        assert (tmp_path / name).stat().st_size > 10_000


def test_the_film_in_a_notebook(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n([^`]*animate_training.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("300", "10"), "README.md", "exec"), {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["training.gif", "training.html"]


def test_the_three_lines_load_a_saved_model(tmp_path, monkeypatch):
    (code,) = re.findall(
        r"```python\n(from safetensors.torch import load_file\n.*?)```", README, re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    command_line.main(["--samples", "100", "--epochs", "2", "--device", "cpu"])
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["model"](torch.zeros(3, 2)).shape == (3, 1)
    assert not names["model"].training


def test_the_loop_that_the_readme_quotes_is_the_scripts():
    (loop,) = re.findall(r"```python\n(logits = .*?)```", README, re.DOTALL)
    source = re.sub(r"\n +", "\n", (ROOT / "train.py").read_text())
    assert re.sub(r"\n +", "\n", loop) in source


def test_the_layers_that_the_readme_shows_are_the_models():
    assert f"```\n{CircleModelV2()}\n```" in README


def test_every_quoted_command_shows_an_output():
    blocks = re.findall(r"<!-- (python .*?) -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert len(blocks) >= 10
    for command, output in blocks:
        assert command in output  # for readers, who don't see comments
        assert len(output.splitlines()) > 6


def test_a_percentage_in_the_text_is_exact():
    """It is computed, not trained; what is trained stands in a quoted output, with its interval."""
    text, _, _ = README.partition("## How fast it is")
    text = re.sub(r"<!-- python .*?<!-- end -->|```.*?```", "", text, flags=re.DOTALL)
    computed = re.findall(r"est possible on average:? +(\d+\.\d+) %", README)
    assert set(re.findall(r"\d+(?:\.\d+)? ?%", text)) == {f"{n} %" for n in computed} | {"99 %"}


QUOTED = """
100 seeds, 42 to 141, on cpu.
| dropout | test accuracy            | seeds at 99 %    | loss                      |
| ------- | ------------------------ | ---------------- | ------------------------- |
| 0.2     | 98.83 (98.32 to 99.28) % | 82 (73 to 88) %  | 0.0043 (0.0022 to 0.0064) |
| 0.5     | 73.06 (68.49 to 77.70) % | 40 (31 to 50) %  | 0.0018 (0.0003 to 0.0033) |
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("98.83 (98.32 to 99.28)", "97.01 (96.40 to 97.60)", True),
        ("98.83 (98.32 to 99.28)", "96.73 (96.32 to 97.20)", False),
        ("73.06 (68.49 to 77.70)", "69.06 (64.49 to 73.60)", True),
        ("73.06 (68.49 to 77.70)", "67.06 (62.49 to 71.60)", False),
        ("82 (73 to 88)", "75 (66 to 82)", True),
        ("82 (73 to 88)", "70 (60 to 78)", False),
        ("0.0018 (0.0003", "0.0118 (0.0103", True),
        ("0.0018 (0.0003", "0.0318 (0.0303", False),
        ("| 0.2 ", "| 0.4 ", False),
        ("dropout", "batch_norm", False),
    ],
)
def test_a_quoted_output_agrees_with_one_of_another_machine(old, new, same):
    assert agree(QUOTED, QUOTED.replace(old, new)) == same


def test_the_pictures_are_there():
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", README)
    assert len(pictures) >= 4
    for picture in pictures:
        assert (ROOT / picture).stat().st_size < 2_000_000


def test_every_setting_that_the_readme_names_exists():
    with pytest.raises(SystemExit) as stop:
        command_line.main(["--help"])
    assert stop.value.code == 0
    for command in re.findall(r"<!-- python train\.py ?(.*?) -->", README):
        for option in re.findall(r"--([a-z-]+)", command):
            assert option in ("seeds", "compare") or option.replace("-", "_") in command_line.HELP
