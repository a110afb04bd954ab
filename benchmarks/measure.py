"""What every section shares: timing in turns, the lines of the table, and Markdown.

A section is a module with a function `measure(quick)` that returns its lines and its notes (a list
of sentences); `quick` asks for a smoke test rather than for figures.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from support.text import listed, markdown

ROOT = Path(__file__).parent.parent

# The defaults of train.py, for the peers.
HIDDEN, LR, MOMENTUM, EPOCHS, RECORD_EVERY = 16, 0.1, 0.9, 300, 10


class Line(NamedTuple):
    """A line of the table: ours against one peer.

    `ratios` has the peer's time, or memory, over ours for each round. `goal` is the least median
    that was aimed at, None where there's no goal; `versions` names the peer's packages.
    """

    what: str
    ours: str
    peer: str
    ratios: list[float]
    goal: float | None = None
    versions: str = ""


def seconds(function: Callable, *arguments, **keywords) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function(*arguments, **keywords)
    return time.perf_counter() - start


def in_turns(contenders: dict[str, Callable], rounds: int) -> dict[str, list]:
    """Call all contenders with 0 to warm up, then each in turn with 0, 1, ... `rounds` - 1.

    Returns each contender's answers, without the warm-up's.
    """
    answers = {name: [contender(0)] for name, contender in contenders.items()}
    for number in range(rounds):
        for name, contender in contenders.items():
            answers[name].append(contender(number))
    return {name: several[1:] for name, several in answers.items()}


def ratios(peer: list[float], ours: list[float]) -> list[float]:
    """Return the peer's time over ours, round by round."""
    return [theirs / mine for theirs, mine in zip(peer, ours, strict=True)]


def decimals(value: float) -> int:
    """Return how many decimals a positive number needs to show three digits."""
    return max(0, 2 - math.floor(math.log10(value)))


def duration(value: float, spread: float | None = None) -> str:
    """Return seconds as text with three digits in a unit that fits, with a spread where given."""
    unit, scale = next(
        (unit, scale)
        for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6))
        if value * scale >= 1 or unit == "µs"
    )
    parts = [value] if spread is None else [value, spread]
    digits = decimals(value * scale)
    return " ± ".join(f"{part * scale:.{digits}f}" for part in parts) + f" {unit}"


def middle(times: list[float]) -> str:
    """Return the median of some seconds as text."""
    return duration(statistics.median(times))


def torch_or_jax(peer: str) -> tuple[str, ...]:
    """Return the packages of a peer that is written with PyTorch, unless its name says JAX."""
    return ("jax", "optax") if "JAX" in peer else ("torch",)


def against(
    what: str,
    times: dict[str, list],
    show=middle,
    goal=lambda peer: None,
    packages=torch_or_jax,
    value=float,
) -> list[Line]:
    """Return a line for each peer of "ours".

    times: what was measured in each round, by contender; `show` puts a contender's into words, and
        `value` returns one's seconds.
    goal, packages: functions that return a peer's, from its name.
    """
    mine = times["ours"]
    return [
        Line(
            what,
            show(mine),
            f"{name}: {show(theirs)}",
            ratios([*map(value, theirs)], [*map(value, mine)]),
            goal(name),
            versions(*packages(name)),
        )
        for name, theirs in times.items()
        if name != "ours"
    ]


def peak_memory() -> int:
    """Return the peak of this process's resident memory in bytes, as Linux counts it.

    (Not `ru_maxrss`: that starts from the peak of the process that started this one.)
    """
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def forget_peak() -> None:
    """Let the peak of this process's memory start anew from what it takes now."""
    Path("/proc/self/clear_refs").write_text("5")


def in_a_process(code: str):
    """Run Python code in a process of its own, and return what it prints, which is JSON."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def versions(*packages: str) -> str:
    return ", ".join(f"{package} {version(package)}" for package in packages)


HEADING = ["what", "ours", "peer", "peer / ours", "n", "goal"]


def table(lines: list[Line]) -> str:
    """Return the lines as a Markdown table."""
    rows = [HEADING]
    for line in lines:
        median = statistics.median(line.ratios)
        middle, low, high = (
            f"{ratio:.{decimals(median)}f}"
            for ratio in (median, min(line.ratios), max(line.ratios))
        )
        goal = ""
        if line.goal is not None:
            goal = f"{line.goal:.3g}: {'met' if median >= line.goal else 'missed'}"
        ratio = f"{middle} ({low} to {high})"
        n = str(len(line.ratios))
        rows.append([line.what, line.ours, line.peer, ratio, n, goal])
    return markdown(rows)


def packages(lines: list[Line]) -> str:
    """Return the packages that the lines were measured with, and their versions, as a sentence."""
    named = {package for line in lines for package in line.versions.split(", ") if package}
    return f"Measured with {listed(sorted(named))}."


def main(measure: Callable) -> None:
    """Run a section as `benchmarks/run.py` asks for it: its lines and notes go to a JSON file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    lines, notes = measure(args.quick)
    args.json.write_text(json.dumps({"lines": lines, "notes": notes}))
