"""Run notebooks from top to bottom and store their outputs: python tools/store_notebooks.py.

Names of notebooks may follow; by default all are run. Live widgets aren't stored, as they need a
kernel to be seen: their pictures are.
"""

import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
INSTALLED = re.compile(r"(?<=File )\S*/(?=site-packages/|lib/python)")  # where is no one's business


def joined(outputs: list) -> list:
    """Return a cell's outputs with what was printed in several pieces as one."""
    together = []
    for output in outputs:
        stream = output.output_type == "stream" and output.name
        if together and stream and together[-1].get("name") == stream:
            together[-1].text += output.text
        else:
            together.append(output)
    return together


def store(path: Path) -> None:
    """Run a notebook and write it back with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    folder = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(notebook, resources=folder, store_widget_state=False)
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the times
        if "outputs" in cell:
            cell.outputs = joined(cell.outputs)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
            if "traceback" in output:
                output.traceback = [INSTALLED.sub("", line) for line in output.traceback]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the tests have it
    for path in map(Path, sys.argv[1:] or sorted(NOTEBOOKS.glob("*.ipynb"))):
        print(path)
        store(path)
