"""The command line of train.py: its options, and what they ask for."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import torch

import train
from lab.checkpoints import checkpointed, stored_command
from lab.parser import CommandLine
from lab.pictures import text_as_it_is
from lab.processes import joined
from lab.reports import datasets_table, notes_on_tables
from lab.run import FILM_FILES, MODEL_FILES, run_once
from lab.run_many import draws_boundaries, run_many
from model import CircleModelV2
from support.checks import check_settings, fill_in
from support.csv_file import unchanging_files
from support.datasets import DATASETS, NAMES
from support.files import prepare_directory
from support.layers import ACTIVATIONS
from support.text import listed
from train import Training, make_data

OPTIONS = {  # by group: an example, and the settings with what they mean
    "data": (
        "python train.py --data spirals --classes 3",
        {
            "data": f"{', '.join(NAMES)}, or the path of a CSV file",
            "samples": "points to make",
            "noise": "standard deviation of the noise on each coordinate",
            "factor": "radius of the inner circle; the outer one's is 1",
            "classes": "number of classes",
            "features": "names of the two feature columns, as x1,x2 (default: the first two)",
            "label": "name of the label column (default: the last)",
            "test_size": "share of the points to test on",
            "seed": "of the data, the split, the weights and the batches",
        },
    ),
    "network": (
        "python train.py --hidden-units 8x8x4 --activation tanh",
        {
            "hidden_units": "units in each of two hidden layers, or 8x8x4: in each of three",
            "activation": f"activation function: {', '.join(ACTIVATIONS)}",
            "dropout": "probability that a hidden unit is set to zero in training",
            "batch_norm": "normalise the hidden layers",
        },
    ),
    "training": (
        "python train.py --epochs 1000 --lr 0.05 --batch-size 32",
        {
            "epochs": "passes over the training set",
            "lr": "learning rate",
            "momentum": "momentum of SGD",
            "weight_decay": "weight decay of SGD",
            "batch_size": "points in a batch at most (default: all)",
            "record_every": "epochs from one entry of the history to the next",
        },
    ),
}
HELP = {name: text for _, each in OPTIONS.values() for name, text in each.items()}


def command_line() -> CommandLine:
    """Return the parser: an option for each setting in `OPTIONS`, and those of the run itself."""
    parser = CommandLine(
        prog="train.py",
        usage="train.py [OPTION ...]",
        description=train.__doc__,
        epilog=datasets_table(DATASETS),
    )
    for title, (example, texts) in OPTIONS.items():
        group = parser.add_argument_group(title, example)
        parser.add_keywords(group, make_data, CircleModelV2, Training, help=texts)
    many = parser.add_argument_group(
        "many runs", "python train.py --seeds 20 --compare lr=0.01,0.1"
    )
    many.add_argument(
        "--seeds", type=int, metavar="N", help="train N models of each kind, from --seed on"
    )
    many.add_argument(
        "--compare",
        metavar="SETTING=VALUE,...",
        help="train many (default: 100 seeds) at each value of a setting",
    )
    output = parser.add_argument_group("output", "python train.py --animate --out film")
    output.add_argument(
        "--out", type=Path, default="outputs", help="directory to write to (default: outputs)"
    )
    output.add_argument(
        "--animate", action="store_true", help=f"write a film as well: {' and '.join(FILM_FILES)}"
    )
    output.add_argument(
        "--resume", action="store_true", help="go on with the run that was stopped in --out"
    )
    output.add_argument(
        "--checkpoint-every", type=int, metavar="N", help="epochs (default: about ten seconds)"
    )
    machine = parser.add_argument_group("machine", "python train.py --device cpu")
    machine.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to train (default: cuda where there is one)",
    )
    machine.add_argument(
        "--compile",
        action="store_true",
        help="compile the models first, for very many seeds or CUDA",
    )
    machine.add_argument(
        "--deterministic", action="store_true", help="use repeatable algorithms only, on CUDA too"
    )
    return parser


def resolve_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu` or `cuda` means here; auto is CUDA if there is one."""
    found = torch.accelerator.current_accelerator(check_available=True)
    has_cuda = found is not None and found.type == "cuda"
    if name == "cuda" and not has_cuda:
        raise ValueError("device must be one that this machine has; got 'cuda', and there is none.")
    return torch.device("cuda" if has_cuda and name != "cpu" else "cpu")


def plan(args, each, compared, values, processes):
    """Return the function that does what is asked for, and the names of the files it will write.

    each: the settings of each run, one for each of the `values` that are `compared`.
    """
    settings = each[0]
    many = args.seeds is not None or compared
    if args.compile and not any(map(shutil.which, ("g++", "clang++", "cl"))):
        raise ValueError("compile needs a C++ compiler, and none was found.")
    if args.animate and many:
        raise ValueError("animate shows one training; it can't go with seeds or compare.")
    if not many:
        processes.check(**settings)
        files = (*MODEL_FILES.values(), "decision_boundary.png", "loss_curves.png")
        films = FILM_FILES if args.animate else ()
        return partial(run_once, settings, args.animate), (*files, *films, "metrics.json")

    count = 100 if args.seeds is None else args.seeds
    check_settings(seed=settings["seed"], seeds=count)
    processes.check(seeds=count)
    seeds = range(settings["seed"], settings["seed"] + count)
    runs = dict(zip(values or [None], each, strict=True))
    run = partial(run_many, runs, seeds, compared)
    pictures = ["comparison.png" if compared else "seeds.png"]
    if draws_boundaries(compared, settings):
        pictures.append("boundaries.png")
    return run, (*pictures, "metrics.json")


def main(argv: list[str] | None = None) -> None:
    """Train, compare, save and plot, as the command line asks."""
    parser = command_line()
    argv = sys.argv[1:] if argv is None else argv
    args, command, asked = parser.parse_or_resume(argv, stored_command)
    given = {name: value for name, value in vars(args).items() if name in HELP}
    with (
        parser.one_sentence_errors(),
        text_as_it_is(),
        unchanging_files(),
        joined(resolve_device(args.device)) as (processes, device),
    ):
        compared, values = parser.parse_comparison(args.compare)
        each = [given | {compared: value} for value in values] if compared else [given]
        each = [parser.defaults | fill_in({"data": "circles"} | settings) for settings in each]
        for settings in each:
            check_settings(**settings)
        check_settings(checkpoint_every=asked.checkpoint_every)
        run, files = plan(args, each, compared, values, processes)
        if asked.resume:
            parser.check_same(asked, each[0] | vars(args))
        if args.deterministic:
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # or cuBLAS is not repeatable
            torch.use_deterministic_algorithms(True)
        prepare_directory(args.out, files)
        command = [*command, "--device", device.type]
        with checkpointed(
            args.out, command, each, files, asked.checkpoint_every, asked.resume, processes
        ) as checkpoint:
            for note in notes_on_tables(each) if processes.is_first else ():
                print(note)
            run(device, args.out, args.compile, processes, checkpoint)
        if processes.is_first:
            picture = next(name for name in files if name.endswith(".png"))
            print(f"\nIn {args.out}: {listed(files)}.")
            print(f"Look at {picture}; then docs/index.html trains both networks in a browser.")
