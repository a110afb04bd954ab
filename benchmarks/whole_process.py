"""`python train.py` as a whole process against the mere import of its libraries.

    python benchmarks/whole_process.py

Both run alternately; the ratio is the median over the pairs. Prints a Markdown table.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from support.many_seeds import markdown  # noqa: E402

FLOOR = (
    "import torch, sklearn.datasets, matplotlib.pyplot; "
    "torch.optim.SGD([torch.zeros(1, requires_grad=True)])"
)


def seconds(*arguments):
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=9)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        seconds("train.py", "--out", out)  # warms the disk's cache
        pairs = [
            (seconds("-c", FLOOR), seconds("train.py", "--out", out)) for _ in range(args.pairs)
        ]
    floor, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = [b / a for a, b in pairs]
    rows = [
        ["", "seconds", "ratio to the import", "lowest to highest"],
        ["importing the libraries", f"{floor:.2f}", "1.00", ""],
        [
            "python train.py",
            f"{ours:.2f}",
            f"{statistics.median(ratios):.2f}",
            f"{min(ratios):.2f} to {max(ratios):.2f}",
        ],
    ]
    print(markdown(rows))
    print(f"\nMedians of {args.pairs} pairs.")


if __name__ == "__main__":
    main()
