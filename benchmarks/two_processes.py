"""Two processes against one at the same batches: the seconds that CircleModelV2 trains.

Both run train.py on ten million points with one thread a process, two of them by torchrun, which
averages the gradients over the machine's own network. Needs two cores.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Line, in_turns, main, middle, ratios, versions

ROOT = Path(__file__).parent.parent
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
EPOCHS = 3


def train_with(*launcher, **settings):
    """Return a contender that runs train.py and returns the seconds of CircleModelV2's training."""
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]

    def contender(number):
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, *launcher, "train.py", *arguments, "--out", out]
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
            metrics = json.loads((Path(out) / "metrics.json").read_text())
        return metrics["models"]["CircleModelV2"]["seconds"]

    return contender


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    lines = []
    for batch_size, goal in ((65_536, None), (262_144, 1.6)):
        settings = dict(
            samples=100_000 if quick else 10_000_000, batch_size=batch_size, epochs=EPOCHS
        )
        contenders = {
            "ours": train_with(*TORCHRUN, device="cpu", **settings),
            "one process": train_with(device="cpu", **settings),
        }
        times = in_turns(contenders, 1 if quick else 3)
        lines.append(
            Line(
                f"two processes, batches of {batch_size:,}",
                middle(times["ours"]),
                f"one process: {middle(times['one process'])}",
                ratios(times["one process"], times["ours"]),
                goal,
                versions("torch"),
            )
        )
    return lines, []


if __name__ == "__main__":
    main(measure)
