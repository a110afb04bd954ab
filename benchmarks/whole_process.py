"""All of `python train.py` against peers' scripts that do the same, and against its imports alone.

A script makes the data, trains and evaluates a linear and a ReLU network with the same recipe,
saves both and draws their boundaries and losses. Each run is a process of its own.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Line, against, in_turns, main, seconds

ROOT = Path(__file__).parent.parent
SCRIPTS = {  # the packages that each one is written with
    "plain_pytorch": ["torch"],
    "scikit_learn": ["scikit-learn"],
    "skorch_net": ["skorch"],
    "lightning_module": ["lightning"],
    "jax_optax": ["jax", "optax"],
}
IMPORTS = """
import filelock, safetensors.torch
import matplotlib.pyplot
import sklearn.datasets, sklearn.model_selection
import torch
import tqdm
torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports more of torch
"""


def process(*arguments):
    """Return a contender that runs Python with the arguments and returns the seconds it took."""
    command = [sys.executable, *arguments]
    environment = os.environ | {"MPLBACKEND": "agg"}
    options = dict(cwd=ROOT, env=environment, check=True, capture_output=True)

    def contender(number):
        return seconds(subprocess.run, command, **options)

    return contender


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    with tempfile.TemporaryDirectory() as out:
        peers = {
            f"benchmarks/scripts/{script}.py": process(f"benchmarks/scripts/{script}.py", out)
            for script in SCRIPTS
        }
        contenders = {
            "ours": process("train.py", "--out", out),
            "importing its libraries": process("-c", IMPORTS),
            **peers,
        }
        times = in_turns(contenders, 1 if quick else 7)
    packages = dict(zip(peers, SCRIPTS.values(), strict=True))
    lines = against(
        "all of train.py",
        times,
        goal=lambda peer: None if peer in packages else 1 / 1.1,
        packages=lambda peer: packages.get(peer, ["torch", "scikit-learn", "matplotlib"]),
    )
    note = (
        "The goal against the imports is at most 1.1 times their time, so a ratio of at least "
        "0.909. The scikit-learn script imports no PyTorch."
    )
    return lines, [note]


if __name__ == "__main__":
    main(measure)
