"""The notebooks run as they are stored, and say nothing that their cells don't show.

A number in the text holds on every machine. Either it is exact, and each run prints it, or the text
says "about", and then a mean that is printed right above it, with its interval, comes near it.
"""

import base64
import copy
import io
import re
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import numpy as np
import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from PIL import Image

from tools.results import agree

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
ANSWER = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.DOTALL)
NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|\$[^$\n]*\$|\(https?://\S+?\)", re.DOTALL)
RESULT = re.compile(r"(?<![\w.])\d+(?:\.\d+|(?= ?%))")  # a decimal or a percentage
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
ABOUT = re.compile(r"\babout\s(\d+(?:\.\d+)?)((?: ?%| points?)?)")
TIME = re.compile(r"\*\*Time:\*\* .*")
LATER = re.compile(r"^## (?:Exercises|Questions|Further reading)$.*?(?=^## |\Z)", re.M | re.DOTALL)
IMPORT = re.compile(r"(from|import) ")
MEAN = re.compile(r"-?(\d+(?:\.\d+)?) \((-?\d+(?:\.\d+)?) to (-?\d+(?:\.\d+)?)\)((?: ?%)?)")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def answers(notebook):
    return ANSWER.findall(prose(notebook))


def passages(run):
    """Yield each passage of a run's text, with what is printed right above it or by its answer."""
    of_answers = iter(code_cells(run)[-len(answers(run)) :])
    above = ""
    for cell in run.cells:
        if cell.cell_type == "code":
            above += printed(cell)
            continue
        yield NOT_PROSE.sub("", ANSWER.sub("", cell.source)), above
        for answer in ANSWER.finditer(cell.source):
            yield NOT_PROSE.sub("", answer[0]), printed(next(of_answers))
        above = ""


def printed(cell):
    """Return the text that a cell shows: what it prints, its Markdown, and its error."""
    texts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            texts.append(output.text)
        elif output.output_type == "error":
            texts.append(f"\n{output.ename}: {output.evalue}\n")
        else:
            text = output.data.get("text/markdown") or output.data.get("text/plain", "")
            texts.append(f"\n{text}\n")  # what is printed may come in several pieces, this not
    return re.sub(r"\n+", "\n", "".join(texts))


def pictures(cell):
    return [
        Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))).convert("RGB")
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]


@pytest.fixture(
    scope="module",
    params=[pytest.param(path, id=path.stem) for path in NOTEBOOKS],
)
def notebook(request):
    """A notebook as it is stored."""
    return nbformat.read(request.param, as_version=4)


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """One kernel for the notebooks that a process runs: most of them import for longest.

    No other program can take a port away before the kernel opens it, where there are sockets that
    are files.
    """
    files = {"transport": "ipc", "ip": str(tmp_path_factory.mktemp("kernel") / "socket")}
    kernel = AsyncKernelManager(**(files if sys.platform == "linux" else {}))
    yield kernel
    if kernel.has_kernel:
        run_sync(kernel.shutdown_kernel)()


@pytest.fixture(scope="module")
def executed(notebook, kernel):
    """The notebook after a run, with the answers to its exercises as cells at the end.

    A warning is an error (but for one of the kernel's own), and so is an error in a cell that isn't
    tagged to raise one. What the notebook before defined is forgotten. A busy machine may take as
    long as it likes.
    """
    run = copy.deepcopy(notebook)
    run.cells += [nbformat.v4.new_code_cell(answer) for answer in answers(notebook)]
    for cell in code_cells(run):
        cell.update(outputs=[], execution_count=None)
    run.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    folder = {"metadata": {"path": str(NOTEBOOKS[0].parent)}}
    client = NotebookClient(run, km=kernel, startup_timeout=3600, timeout=None, resources=folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "error,ignore::PendingDeprecationWarning")
        client.execute()
    client.kc.stop_channels()
    del run.cells[0]
    return run


def is_playground(request):
    return request.node.callspec.params["notebook"].stem == "08_playground"


def test_a_cell_is_short_and_so_is_the_notebook(request, notebook):
    path = request.node.callspec.params["notebook"]
    assert (5 if is_playground(request) else 15) <= len(notebook.cells) <= 25
    assert path.stat().st_size < 600_000  # with pictures that are sharp on a projector
    for cell in code_cells(notebook):
        lines = [line for line in cell.source.splitlines() if line and not IMPORT.match(line)]
        assert len(lines) <= 8, cell.source


def test_it_tells_at_the_top_what_it_needs_and_at_the_end_what_to_take_along(notebook):
    top = notebook.cells[0].source
    for words in ("**You need:**", "**Time:** ", " minutes", "**Afterwards you can say**"):
        assert words in top
    text = prose(notebook)
    _, summary = text.split("\n## Summary\n")
    _, further = text.split("\n## Further reading\n")
    goals, learned = (len(re.findall(r"^\* ", part, re.MULTILINE)) for part in (top, summary))
    assert learned >= goals >= 3
    assert len(re.findall(r"\]\(https://\S+\)", further)) >= 2


def test_the_minutes_are_those_of_its_words_and_the_readme_has_them_too(request, notebook):
    """One reads 140 words aloud in a minute, and says one half of the code."""
    name = request.node.callspec.params["notebook"].name
    reading, *_, exercises = map(int, re.findall(r"\d+", TIME.search(notebook.cells[0].source)[0]))
    text = LATER.sub("", re.sub(r"\(https?://\S+?\)", "", prose(notebook)))
    code = "\n".join(cell.source for cell in code_cells(notebook))
    words = len(re.findall(r"\w[\w'.-]*", text)) + len(re.findall(r"[A-Za-z_]+|\d[\d.]*", code)) / 2
    assert abs(words / 140 - reading) <= 1
    readme = (NOTEBOOKS[0].parent.parent / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"\(notebooks/{name}\) \| .* \| {reading + exercises} \|\n", readme)


def test_a_percentage_has_one_form(notebook):
    shown = "\n".join(map(printed, code_cells(notebook)))
    assert not re.search(r"\d%", NOT_PROSE.sub("", prose(notebook)) + shown)


def test_the_stored_outputs_are_of_one_clean_run(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        raises = any(output.output_type == "error" for output in cell.outputs)
        assert raises == ("raises-exception" in cell.metadata.get("tags", [])), cell.source
        for error in (output for output in cell.outputs if output.output_type == "error"):
            assert "".join(error.traceback).count("\n") <= 5, "show the last lines only"
        assert all(output.get("name") != "stderr" for output in cell.outputs), cell.source


def test_a_cell_that_fails_on_purpose_says_so_before(notebook):
    for before, cell in pairwise(notebook.cells):
        if "raises-exception" in cell.metadata.get("tags", []):
            assert "fails on purpose" in before.source


def test_an_error_is_shown_and_three_exercises_are_answered(request, notebook):
    count = prose(notebook).count("<details><summary>Answer</summary>")
    assert len(answers(notebook)) == count
    if not is_playground(request):
        assert any("raises-exception" in c.metadata.get("tags", []) for c in notebook.cells)
        assert count == 3


def test_no_page_in_a_frame_is_stored(notebook):
    for output in (output for cell in code_cells(notebook) for output in cell.outputs):
        assert "<iframe" not in output.get("data", {}).get("text/html", "")


def test_a_run_shows_what_is_stored_and_what_the_text_says(notebook, executed):
    """As one test, so that processes that share the tests out run each notebook once."""
    assert_it_shows_what_is_stored(notebook, executed)
    assert_exact_numbers_are_printed(notebook, executed)
    assert_a_mean_is_printed_above_each_about(executed)


def assert_it_shows_what_is_stored(notebook, executed):
    """Up to means of few seeds whose 95 % intervals touch, as in `is_about`."""
    for cell, again in zip(code_cells(notebook), code_cells(executed), strict=False):
        stored, shown = printed(cell), printed(again)
        assert agree(stored, shown, share=1), f"{cell.source}\n\nstored:\n{stored}\nnow:\n{shown}"
        before, after = pictures(cell), pictures(again)
        assert len(before) == len(after), cell.source
        for one, other in zip(before, after, strict=True):
            assert np.allclose(one.size, other.size, atol=4), cell.source
            one, other = (np.asarray(picture.resize((60, 60)), float) for picture in (one, other))
            assert np.abs(one - other).mean() < 4, cell.source


def assert_exact_numbers_are_printed(notebook, executed):
    stored = set(NUMBER.findall("\n".join(map(printed, code_cells(notebook)))))
    again = code_cells(executed)
    kept, of_answers = again[: len(code_cells(notebook))], again[len(code_cells(notebook)) :]
    shown = stored & set(NUMBER.findall("\n".join(map(printed, kept))))
    shown |= set(NUMBER.findall("\n".join(map(printed, of_answers))))
    for number in RESULT.findall(ABOUT.sub("", NOT_PROSE.sub("", prose(notebook)))):
        assert number in shown, f"no cell prints {number} in every run"


def assert_a_mean_is_printed_above_each_about(executed):
    for text, above in passages(executed):
        for number, unit in ABOUT.findall(text):
            assert is_about(number, unit, above), f"no mean is about {number}{unit} in\n{above}"


def is_about(number, unit, text):
    """Whether a text has a mean of that unit, no farther from the number than its interval is wide.

    Two means whose 95 % intervals touch are so far apart. Half of the number's last digit is
    allowed for its rounding.
    """
    rounding = 0.5 * 10.0 ** -len(number.partition(".")[2])
    return any(
        abs(float(mean) - float(number)) <= float(high) - float(low) + rounding
        for mean, low, high, its_unit in MEAN.findall(text)
        if bool(unit) == bool(its_unit)
    )


@pytest.mark.parametrize(
    ("number", "unit", "holds"),
    [
        ("93", " %", True),
        ("95", " %", True),  # 1.7 away, the interval is 1.4 wide, half a point is rounding
        ("96", " %", False),
        ("1.5", " points", True),
        ("0.93", "", False),
        ("0.5", "", True),
    ],
)
def test_what_is_about_a_number(number, unit, holds):
    text = "test 93.3 (92.6 to 94.0) %, gain -1.4 (-1.6 to -1.2) %, loss 0.51 (0.50 to 0.52)"
    assert is_about(number, unit, text) == holds
