"""Run what trains under other arithmetics, and exit with 1 where anything that is said differs.

    python tests/arithmetic.py           # all of them; make test-arithmetic does so
    python tests/arithmetic.py threads   # those with the word in their name
    python tests/arithmetic.py --first-figures  # the README's first two figures under each alone

Another processor adds in another order and rounds differently, and a long training carries that
far. What the lessons, the README and the tests say has to hold there as well. Each arithmetic below
stands for other machines; it reaches every process that is started under it. (`make test` itself
computes on one thread.)
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
ARITHMETICS = {
    "two threads": {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"},
    "PyTorch without vector instructions": {"ATEN_CPU_CAPABILITY": "default"},
    "matrix products in the order of any processor": {"MKL_CBWR": "COMPATIBLE"},
    "both of these": {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"},
    "initial weights moved by their last bit": {"PYTHONPATH": str(ROOT / "tests/moved_weights")},
}
TESTS = "notebooks train model many_seeds ensemble determinism datasets command_line readme"
ALL_FIGURES = "initial weights moved by their last bit"  # which moves most


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("word", nargs="?", default="", help="part of the names of those to run")
    parser.add_argument("--first-figures", action="store_true", help="check the first two alone")
    args = parser.parse_args()
    failed = []
    for name, settings in ARITHMETICS.items():
        if args.word not in name:
            continue
        settings_shown = " ".join(f"{key}={value}" for key, value in settings.items())
        print(f"== {name}: {settings_shown}", flush=True)
        start = time.monotonic()
        all_of_them = name == ALL_FIGURES and not args.first_figures
        figures = ["--only", "train.py"] if all_of_them else ["--first", "2"]
        for command in (
            ["-m", "pytest", *(f"tests/test_{test}.py" for test in TESTS.split())],
            ["tools/results.py", "--check", *figures],
        ):
            done = subprocess.run([sys.executable, *command], cwd=ROOT, env=os.environ | settings)
            if done.returncode:
                failed.append(f"{name}: python {' '.join(command)}")
        print(f"== {name}: {time.monotonic() - start:.0f} s", flush=True)
    if failed:
        sys.exit("What is said differs.\n" + "\n".join(failed))
    print("What is said is the same under each arithmetic.")


if __name__ == "__main__":
    main()
