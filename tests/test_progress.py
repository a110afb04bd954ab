"""Long work tells that it lives, also where there is no terminal."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab import progress

ROOT = Path(progress.__file__).parent.parent


def test_where_there_is_no_terminal_a_line_tells_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr(progress, "SECONDS", 0)
    with progress.progress(3, " epochs", "ReLU") as bar:
        for _ in range(3):
            bar.update()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 3
    assert all(re.match(r"ReLU: +\d+%.* [0-3]/3 ", line) for line in lines)


def test_short_work_and_silent_work_print_nothing(monkeypatch, capsys):
    with progress.progress(1, " epochs") as bar:
        bar.update()
    monkeypatch.setattr(progress, "SECONDS", 0)
    with progress.progress(1, " epochs", silent=True) as bar:
        bar.update()
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize("errors", ["2> /dev/full", "2>&-", "2> >(true)"])
def test_lines_that_no_one_can_read_stop_nothing(tmp_path, errors):
    code = (
        "import sys, support.program\n"
        "from lab import command_line, progress\n"
        "progress.SECONDS = 0\n"
        "command_line.main(sys.argv[1:])"
    )
    arguments = f"--samples 60 --epochs 300 --device cpu --out {tmp_path}"
    command = ["bash", "-c", f"{sys.executable} -c '{code}' {arguments} {errors}"]
    assert subprocess.run(command, cwd=ROOT).returncode == 0
    assert (tmp_path / "metrics.json").exists()
