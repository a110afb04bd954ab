"""Run the commands that the README and two pages of docs/ quote; write their output or compare.

    python tools/results.py            # write
    python tools/results.py --check    # exit with 1 where a page says something else
    python tools/results.py --check --first 2    # look at the first two commands alone

A quoted output stands between the lines `<!-- python ... -->` and `<!-- end -->`. Another
processor rounds differently, so the check lets percentages differ by 2 points, or half their
confidence interval where that is more, and other numbers by a tenth; times aren't compared.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "docs/results.md", "docs/why_it_bends.md")]
BLOCK = re.compile(r"<!-- (python [^\n]*) -->\n(.*?)<!-- end -->\n", re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
INTERVAL = re.compile(rf"{NUMBER.pattern} \(({NUMBER.pattern}) to ({NUMBER.pattern})\)")
TIME = re.compile(r" +\d+\.\d+ s\b")


def output_of(command: str) -> str:
    """Return what a quoted command prints, its files written to a directory of its own."""
    one_thread = {"OMP_NUM_THREADS": "1"} | os.environ  # there is a command for each core
    with tempfile.TemporaryDirectory() as out:
        arguments = [sys.executable, *command.split()[1:]]
        if "train.py" in arguments:
            arguments += ["--out", out]
        done = subprocess.run(
            arguments, cwd=ROOT, env=one_thread, capture_output=True, text=True, check=True
        )
        return done.stdout.replace(out, "outputs").rstrip() + "\n"


def as_markdown(command: str, output: str) -> str:
    """Return a command and its output as a page shows them: tables as such, text as code."""
    heading, table, rest = [], [], []
    for line in output.splitlines():
        (table if line.startswith("|") else rest if table else heading).append(line)
    if not table:
        return f"```\n$ {command}\n{output}```\n"
    heading = "\n".join(heading).rstrip()
    said = f"$ {command}\n{heading}".rstrip()
    return f"```\n{said}\n```\n\n" + "\n".join(table) + "\n\n"


def allowed_points(cell: str, other: str, share: float):
    """Yield by how many percentage points each number may differ: a share of its interval.

    Of the two intervals, one in each cell, the wider one counts.
    """
    pairs = list(zip(INTERVAL.finditer(cell), INTERVAL.finditer(other), strict=True))
    for number in NUMBER.finditer(cell):
        around = [pair for pair in pairs if pair[0].start() <= number.start() < pair[0].end()]
        widths = [float(i[2]) - float(i[1]) for pair in around for i in pair]
        yield max([2, *(share * width for width in widths)])


def agree(quoted: str, measured: str, share: float = 0.5) -> bool:
    """Whether two outputs say the same, up to the rounding of another processor.

    share: of a 95 % interval, by which a percentage with such an interval may differ.
    """
    quoted, measured = (TIME.sub(" T", text) for text in (quoted, measured))
    shape = [re.sub(r"[\s-]+", " ", NUMBER.sub("#", text)) for text in (quoted, measured)]
    if shape[0] != shape[1] or quoted.count("\n") != measured.count("\n"):
        return False
    for one, other in zip(quoted.splitlines(), measured.splitlines(), strict=True):
        for a, b in zip(one.split("|"), other.split("|"), strict=True):
            numbers, others = (list(map(float, NUMBER.findall(cell))) for cell in (a, b))
            points = allowed_points(a, b, share)
            for x, y in zip(numbers, others, strict=True):
                allowed = next(points) if "%" in a else 0.02 + 0.1 * max(abs(x), abs(y))
                if abs(x - y) > allowed:
                    return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare rather than write")
    parser.add_argument("--only", default="", metavar="TEXT", help="commands that have the text")
    parser.add_argument("--first", type=int, metavar="N", help="the first N of them")
    args = parser.parse_args()
    texts = [page.read_text() for page in PAGES]
    quotes = [block for text in texts for block in BLOCK.findall(text) if args.only in block[0]]
    quotes = quotes[: args.first]
    disagreements = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outputs = pool.map(output_of, [command for command, _ in quotes])
        for (command, quoted), output in zip(quotes, outputs, strict=True):
            print(f"$ {command}", flush=True)
            measured = as_markdown(command, output)
            if not agree(quoted, measured):
                disagreements += 1
                print(f"The page says:\n{quoted}\nIt is now:\n{measured}", flush=True)
            start = f"<!-- {command} -->\n"
            texts = [text.replace(start + quoted, start + measured) for text in texts]
    if not args.check:
        for page, text in zip(PAGES, texts, strict=True):
            page.write_text(text)
    elif disagreements:
        sys.exit(f"The pages are wrong about {disagreements} of {len(quotes)} commands.")
    print(f"{len(quotes)} commands run, {disagreements} outputs changed.")


if __name__ == "__main__":
    main()
