"""The README and the pages behind it: their examples run, their links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
import torch

from lab import command_line
from tools.results import agree

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README, RESULTS, WHY = (
    ROOT / name for name in ("README.md", "docs/results.md", "docs/why_it_bends.md")
)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INTERVAL = re.compile(r"[\d.]+ \([\d.]+ to [\d.]+\) %")


def pages(function):
    return pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)(function)


def text_of(page):
    """Return a page without its blocks of code and the outputs that it quotes."""
    return re.sub(r"<!-- (.*?)<!-- end.*? -->|```.*?```", "", page.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(code, id=f"{page.stem} {number}")
        for page in PAGES
        for number, code in enumerate(PYTHON.findall(page.read_text()))
    ],
)
def test_an_example_runs(tmp_path, monkeypatch, capsys, code):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    if "outputs/" in code:
        command_line.main(["--samples", "100", "--epochs", "2", "--device", "cpu"])
        capsys.readouterr()
    if "animate" in code:
        code = code.replace("300", "10")
    exec(compile(code, "example", "exec"), {"__name__": "example"})
    for name in re.findall(r'"(\w+\.png)"', code):
        assert (tmp_path / name).stat().st_size > 10_000
    printed = capsys.readouterr().out
    output = re.search(re.escape(code) + r"```\n+```\n(.*?)```", README.read_text(), re.DOTALL)
    assert not printed or agree(output[1].replace("%", " %"), printed.replace("%", " %"))


@pages
def test_a_link_leads_somewhere(page):
    for link in LINK.findall(page.read_text()):
        path, _, heading = link.partition("#")
        if path.startswith("https://"):
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings]
            assert heading in slugs, link


@pages
def test_a_file_that_is_named_exists(page):
    names = re.findall(r"`((?:[\w.]+/)*[\w.]+\.(?:py|html|txt|md|ipynb)|[\w/.]+/)`", text_of(page))
    for name in set(names) - {"training.html", "outputs/", ".venv/bin/", "notebooks/NAME.ipynb"}:
        assert (ROOT / name).exists(), name


@pages
def test_a_command_is_one_that_exists(page):
    text = page.read_text().replace("\\\n", " ")
    targets = (ROOT / "Makefile").read_text().split(".PHONY:")[1].split("\n")[0].split()
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets
    parser = command_line.command_line()
    for options in re.findall(r"python train\.py((?: +(?!-->)[\w=/.,:-]+)*)", text):
        if not re.search("SETTING|DIRECTORY|--help", options):
            parser.parse_args(shlex.split(options))


def test_every_page_is_linked_from_the_readme_and_back():
    linked = {(ROOT / link).resolve() for link in LINK.findall(README.read_text())}
    for page in PAGES[1:]:
        assert page in linked
        assert "[Back to the README](../README.md)" in page.read_text().split("\n\n")[1]


@pytest.mark.parametrize(("page", "count", "lines"), [(RESULTS, 10, 7), (WHY, 4, 5)])
def test_every_quoted_command_shows_an_output(page, count, lines):
    blocks = re.findall(r"<!-- (python .*?) -->\n(.*?)<!-- end -->", page.read_text(), re.DOTALL)
    assert len(blocks) >= count
    for command, output in blocks:
        assert command in output  # for readers, who don't see comments
        assert len(output.splitlines()) >= lines


def test_a_figure_of_the_readme_stands_in_the_results():
    figures = INTERVAL.findall(" ".join(README.read_text().split()))
    assert len(figures) > 10
    for figure in figures:
        assert figure in RESULTS.read_text(), figure


@pytest.mark.parametrize("page", [README, RESULTS, WHY], ids=lambda page: page.stem)
def test_a_percentage_in_the_text_is_exact_or_has_an_interval(page):
    """What is trained stands in a quoted output, or with its interval."""
    percentages = re.findall(r"[\d.]+ ?%", INTERVAL.sub("", text_of(page)))
    assert set(percentages) <= {"99 %", "95 %", "50 %"}


def test_the_readme_is_short():
    assert len(README.read_text().splitlines()) <= 205


@pages
def test_the_pictures_are_there(page):
    for alternative, picture in re.findall(r"!\[(.*?)\]\((.+?)\)", page.read_text()):
        assert len(alternative) > 20
        assert (page.parent / picture).stat().st_size < 2_000_000


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


def test_each_of_several_intervals_in_a_line_is_as_wide_as_it_is():
    line = "BatchNorm  62.1 (57.6 to 66.8) %    -13.4 (-19.5 to -6.6) %    75.0 %"
    assert agree(line, line.replace("-13.4 (-19.5", "-8.4 (-14.5"))
    assert not agree(line, line.replace("-13.4 (-19.5", "-6.4 (-14.5"))
    assert not agree(line, line.replace("75.0", "72.0"))


def test_the_wider_of_two_intervals_counts():
    quoted, measured = "accuracy 98.4 (97.3 to 99.3) %", "accuracy 97.2 (94.1 to 99.2) %"
    assert agree(quoted, measured, share=1)
    assert not agree(quoted, measured)
