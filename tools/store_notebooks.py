"""Run notebooks from top to bottom and store their outputs: python tools/store_notebooks.py.

Names of notebooks may follow; by default all are run. A page in a frame isn't stored, which would
soon be an old one: its text is.
"""

import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
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
    client = NotebookClient(notebook, resources=folder)
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the times
        if "outputs" in cell:
            cell.outputs = joined(cell.outputs)
        for output in cell.get("outputs", []):
            if "<iframe" in output.get("data", {}).get("text/html", ""):
                del output.data["text/html"]
            if "traceback" in output:
                output.traceback = [INSTALLED.sub("", line) for line in output.traceback]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the tests have it
    for path in map(Path, sys.argv[1:] or sorted(NOTEBOOKS.glob("*.ipynb"))):
        print(path)
        store(path)
