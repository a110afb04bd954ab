"""The same races on a GPU, with the CPU beside it: run on a machine that has CUDA.

    python3 -m benchmarks.cuda           # some minutes; renews the second table of docs/speed.md
    python3 -m benchmarks.cuda --quick   # a smoke test: figures that mean nothing

Needs the packages of benchmarks/requirements.txt, with JAX's build for CUDA. Data and models lie on
the GPU before the clock starts. All compute in full float32, without TF32.
"""

import argparse
import platform
import sys

import jax
import torch

from benchmarks.many_models import jax_together, one_by_one, together
from benchmarks.measure import Line, against, in_turns, packages, seconds, table
from benchmarks.mini_batches import BATCH_SIZE, EPOCHS, data_loader, speed_on
from benchmarks.run import PAGE, quote
from benchmarks.step import count_waits
from benchmarks.time_to_99 import compare, jax_optax, ours, race, usual_recipe
from model import CircleModelV2
from train import Data, make_data, train

GPU = torch.device("cuda")


def time_to_99(rounds: int) -> list[Line]:
    datasets = [make_data(seed=seed) for seed in range(rounds)]
    on_gpu = [data.to(GPU) for data in datasets]
    contenders = {
        "ours": (ours, on_gpu),
        "the usual recipe": (usual_recipe, on_gpu),
        "JAX + optax": (jax_optax, datasets),
        "ours on the CPU": (ours, datasets),
    }
    return compare(race(contenders, rounds))


def many_models(count: int, rounds: int) -> list[Line]:
    datasets = [make_data(seed=seed) for seed in range(count)]
    contenders = {
        "ours": lambda number: together(datasets, device=GPU),
        "one by one (3 of them)": lambda number: one_by_one(datasets[:3], GPU),
        "JAX, vmap": lambda number: jax_together(datasets, count),
        "ours on the CPU (20 of them)": lambda number: together(datasets[:20]),
    }
    if count <= 100:
        name = "ours with --compile, compiled before"
        contenders[name] = lambda number: together(datasets, True, GPU)
    return against(f"{count} models, a model and epoch", in_turns(contenders, rounds))


def mini_batches(samples: int, rounds: int) -> list[Line]:
    data = make_data(samples=samples)
    X, y, on_gpu = data.X_train, data.y_train, data.to(GPU)

    def trained(data: Data):
        model = CircleModelV2().to(data.X_train.device)
        return seconds(train, model, data, epochs=EPOCHS, batch_size=BATCH_SIZE)

    def tutorial(number):
        duration = seconds(data_loader, X, y, GPU)
        return duration + seconds(torch.cuda.synchronize)

    contenders = {
        "ours": lambda number: trained(on_gpu),
        "PyTorch, DataLoader": tutorial,
        "ours on the CPU": lambda number: trained(data),
    }
    return against(f"batches of {BATCH_SIZE}", in_turns(contenders, rounds), speed_on(X))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a smoke test, not a measurement")
    quick = parser.parse_args().quick
    jax.config.update("jax_default_matmul_precision", "highest")  # PyTorch's default is that, too
    torch.set_num_threads(1)
    lines = time_to_99(2 if quick else 5)
    print(table(lines), file=sys.stderr)
    for count, rounds in ((20, 1),) if quick else ((100, 3), (10_000, 2)):
        lines += many_models(count, rounds)
        print(table(lines), file=sys.stderr)
    lines += mini_batches(*(2000, 1) if quick else (100_000, 3))
    few, many = count_waits(5), count_waits(300)
    notes = [
        f"Python {platform.python_version()} on one {torch.cuda.get_device_name()}, and one thread "
        "of its machine's processor.",
        packages(lines),
        "The networks are so small that the GPU waits for Python to start its kernels, until many "
        "are trained at once: ours then has 1,000 in an ensemble.",
        f"Training waits for the GPU {few} times in 5 epochs and {many} times in 300, with one "
        "record at the end of each.",
    ]
    text = f"{table(lines)}\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"
    print(text)
    if not quick:
        PAGE.write_text(quote(PAGE.read_text(), text, "cuda"))


if __name__ == "__main__":
    main()
