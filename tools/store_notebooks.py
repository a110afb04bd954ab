"""Run notebooks from top to bottom and store their outputs: python tools/store_notebooks.py.

Names of notebooks may follow; by default all are run. A page in a frame isn't stored, which would
soon be an old one: its text is. Pictures are stored with a palette, which takes a third of the
space.
"""

import base64
import io
import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

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


def in_few_colors(png: str) -> str:
    """Return a picture, the text of a PNG in base64, with a palette of 256 colours."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    file = io.BytesIO()
    picture.quantize(256, kmeans=3, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


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
            data = output.get("data", {})
            if "<iframe" in data.get("text/html", ""):
                del data["text/html"]
            if "image/png" in data:
                data["image/png"] = in_few_colors(data["image/png"])
            if "traceback" in output:
                output.traceback = [INSTALLED.sub("", line) for line in output.traceback]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as the tests have it
    for path in map(Path, sys.argv[1:] or sorted(NOTEBOOKS.glob("*.ipynb"))):
        print(path)
        store(path)
