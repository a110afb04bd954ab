"""Run the commands that the README and two pages of docs/ quote; write their output or compare.

    python tools/results.py            # write
    python tools/results.py --check    # exit with 1 where a page says something else
    python tools/results.py --check --first 2    # look at the first two commands alone

A quoted output stands between the lines `<!-- python ... -->` and `<!-- end -->`. Another
processor rounds differently, so the check lets percentages differ by 2 points, means as far as
their confidence intervals touch, and other numbers by a tenth; times aren't compared.
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
INTERVAL = re.compile(r"(N) \((N) to (N)\)".replace("N", NUMBER.pattern))
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


def agree(quoted: str, measured: str) -> bool:
    """Whether two outputs say the same, up to the rounding of another processor.

    Two means agree where their confidence intervals touch.
    """
    quoted, measured = (TIME.sub(" T", text) for text in (quoted, measured))
    shape = [re.sub(r"[\s-]+", " ", NUMBER.sub("#", text)) for text in (quoted, measured)]
    if shape[0] != shape[1] or quoted.count("\n") != measured.count("\n"):
        return False
    return all(
        cells_agree(a, b)
        for one, other in zip(quoted.splitlines(), measured.splitlines(), strict=True)
        for a, b in zip(one.split("|"), other.split("|"), strict=True)
    )


def cells_agree(a: str, b: str) -> bool:
    percent = "%" in a
    (means, numbers), (other_means, other_numbers) = figures(a), figures(b)
    return all(
        close(one[0], other[0], percent) or (one[1] <= other[2] and other[1] <= one[2])
        for one, other in zip(means, other_means, strict=True)
    ) and all(close(x, y, percent) for x, y in zip(numbers, other_numbers, strict=True))


def figures(cell: str) -> tuple[list, list]:
    """Return the means of a text, each with the ends of its interval, and its other numbers."""
    means = [tuple(map(float, found)) for found in INTERVAL.findall(cell)]
    return means, [float(number) for number in NUMBER.findall(INTERVAL.sub("", cell))]


def close(x: float, y: float, percent: bool) -> bool:
    return abs(x - y) <= (2 if percent else 0.02 + 0.1 * max(abs(x), abs(y)))


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
