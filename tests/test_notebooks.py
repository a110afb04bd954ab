"""The notebooks run as they are stored, and say nothing that their cells don't show."""

import base64
import copy
import io
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

from benchmarks.results import agree

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
ANSWER = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.DOTALL)
NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|\$[^$\n]*\$", re.DOTALL)
RESULT = re.compile(r"(?<![\w.])\d+(?:\.\d+|(?= ?%))")  # a decimal or a percentage
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")


def answers(notebook):
    return ANSWER.findall(prose(notebook))


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


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    """A notebook as it is stored."""
    return nbformat.read(request.param, as_version=4)


@pytest.fixture(scope="module")
def executed(request, notebook):
    """The notebook after a run, with the answers to its exercises as cells at the end.

    A warning is an error (but for one of the kernel's own), and so is an error in a cell that isn't
    tagged to raise one.
    """
    run = copy.deepcopy(notebook)
    run.cells += [nbformat.v4.new_code_cell(answer) for answer in answers(notebook)]
    for cell in code_cells(run):
        cell.update(outputs=[], execution_count=None)
    folder = {"metadata": {"path": str(NOTEBOOKS[0].parent)}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "error,ignore::PendingDeprecationWarning")
        NotebookClient(run, timeout=120, resources=folder).execute()
    return run


def is_playground(request):
    return request.node.callspec.params["notebook"].stem == "05_playground"


def test_a_cell_is_short_and_so_is_the_notebook(request, notebook):
    path = request.node.callspec.params["notebook"]
    assert (5 if is_playground(request) else 15) <= len(notebook.cells) <= 25
    assert path.stat().st_size < 300_000
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= 10, cell.source


def test_the_stored_outputs_are_of_one_clean_run(notebook):
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        raises = any(output.output_type == "error" for output in cell.outputs)
        assert raises == ("raises-exception" in cell.metadata.get("tags", [])), cell.source
        assert all(output.get("name") != "stderr" for output in cell.outputs), cell.source


def test_an_error_is_shown_and_three_exercises_are_answered(request, notebook):
    count = prose(notebook).count("<details><summary>Answer</summary>")
    assert len(answers(notebook)) == count
    if not is_playground(request):
        assert any("raises-exception" in c.metadata.get("tags", []) for c in notebook.cells)
        assert count == 3


def test_no_page_in_a_frame_is_stored(notebook):
    for output in (output for cell in code_cells(notebook) for output in cell.outputs):
        assert "<iframe" not in output.get("data", {}).get("text/html", "")


def test_a_run_shows_what_is_stored(notebook, executed):
    for cell, again in zip(code_cells(notebook), code_cells(executed), strict=False):
        stored, shown = printed(cell), printed(again)
        assert agree(stored, shown), f"{cell.source}\n\nstored:\n{stored}\nnow:\n{shown}"
        before, after = pictures(cell), pictures(again)
        assert len(before) == len(after), cell.source
        for one, other in zip(before, after, strict=True):
            assert np.allclose(one.size, other.size, atol=4), cell.source
            one, other = (np.asarray(picture.resize((60, 60)), float) for picture in (one, other))
            assert np.abs(one - other).mean() < 4, cell.source


def test_the_prose_gives_only_numbers_that_a_cell_prints(notebook, executed):
    stored = [printed(cell) for cell in code_cells(notebook)]
    of_answers = [printed(cell) for cell in code_cells(executed)[len(stored) :]]
    shown = set(NUMBER.findall("\n".join(stored + of_answers)))
    for number in RESULT.findall(NOT_PROSE.sub("", prose(notebook))):
        assert number in shown, f"no cell prints {number}"
