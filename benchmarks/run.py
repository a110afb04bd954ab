"""Measure the speed of this project against its peers, and print one Markdown table.

    python3 -m benchmarks.run                       # all, half an hour; renews docs/speed.md
    python3 -m benchmarks.run --only time-to-99     # one section
    python3 -m benchmarks.run --quick               # a smoke test: figures that mean nothing

Makes a virtual environment for the peers first, .venv-benchmarks. Each line is measured in turns
with its peer, after an untimed warm-up. A full run writes the table to docs/speed.md, between its
markers; it should have the machine for itself.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Line, packages, table

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "speed.md"
ENVIRONMENT = ROOT / ".venv-benchmarks"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SECTIONS = (
    "time-to-99",
    "whole-process",
    "mini-batches",
    "step",
    "many-models",
    "plots",
    "page",
    "growth",
    "tables",
    "two-processes",
)
FIGURE = "![Time and memory of training against the number of points](../pictures/scaling.png)"


def install_peers() -> None:
    """Make the environment with the peers in it, unless it is there as the requirements say."""
    files = (ROOT / "requirements.txt", ROOT / "benchmarks" / "requirements.txt")
    wanted = "".join(file.read_text() for file in files)
    stamp = ENVIRONMENT / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing the peers in {ENVIRONMENT.name}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "-r", files[1]], check=True)
    stamp.write_text(wanted)


def measure(section: str, quick: bool) -> tuple[list[Line], list[str]]:
    """Run a section in a process of its own, and return its lines and notes."""
    print(f"{section} ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as directory:
        answer = Path(directory) / "answer.json"
        module = f"benchmarks.{section.replace('-', '_')}"
        command = [PYTHON, "-m", module, "--json", answer, *["--quick"] * quick]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
        answer = json.loads(answer.read_text())
    return [Line(*line) for line in answer["lines"]], answer["notes"]


def quote(page: str, text: str, name: str = "benchmarks") -> str:
    """Return the page's text with another one between the markers of that name."""
    first, last = f"<!-- {name} -->", f"<!-- end {name} -->"
    block = re.compile(rf"({first}\n).*?({last}\n)", re.DOTALL)
    quoted, count = block.subn(lambda found: found[1] + text + found[2], page)
    if count != 1:
        raise ValueError(f"the page must have {first} and {last}.")
    return quoted


def processor() -> str:
    """Return the processor's name as Linux gives it, else as Python does."""
    try:
        return re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=SECTIONS, help="measure this section alone")
    parser.add_argument("--quick", action="store_true", help="a smoke test, not a measurement")
    args = parser.parse_args()
    quote(PAGE.read_text(), "")  # to fail now rather than after the measurements
    install_peers()
    lines, notes = [], []
    for section in [args.only] if args.only else SECTIONS:
        more_lines, more_notes = measure(section, args.quick)
        print(table(more_lines), file=sys.stderr)
        lines += more_lines
        notes += more_notes
    machine = f"{os.cpu_count()} cores of {processor()}, without a GPU"
    notes[:0] = [f"Python {platform.python_version()} on {machine}.", packages(lines)]
    text = f"{table(lines)}\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"
    print(text)
    if args.quick or args.only:
        return
    PAGE.write_text(quote(PAGE.read_text(), f"{text}\n{FIGURE}\n"))


if __name__ == "__main__":
    main()
