"""Long work tells that it lives, also where there is no terminal."""

import re

from lab import progress


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
