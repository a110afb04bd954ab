"""Reading a CSV file of ten million rows: two features and a label of three texts.

Each reader is a process of its own, that tells the seconds and its peak of memory above what its
imports took. Needs Linux, which tells of the peak.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.measure import (
    Line,
    forget_peak,
    in_a_process,
    in_turns,
    main,
    middle,
    peak_memory,
    ratios,
    seconds,
    versions,
)

ROWS = 10**7


def ours(path):
    from support.csv_file import read_csv

    return lambda: read_csv(path)


def pandas_reader(path):
    import pandas

    return lambda: pandas.read_csv(path, dtype={"kind": "category"})


def print_read(reader, path):
    """Read a file once; print the seconds and the bytes of the peak."""
    read = globals()[reader](path)
    forget_peak()
    base = peak_memory()
    print(json.dumps(dict(seconds=seconds(read), memory=peak_memory() - base)))


def run(reader, path):
    """Return the figures of one reader, in a process of its own."""
    return in_a_process(
        f"from benchmarks import tables; tables.print_read({reader!r}, {str(path)!r})"
    )


def write_table(path, rows):
    """Write a table of random points, whose labels are texts, a million rows at a time."""
    random = np.random.default_rng(0)
    kinds = np.array(["cat", "dog", "horse"])
    with open(path, "w") as file:
        file.write("height,weight,kind\n")
        for start in range(0, rows, 10**6):
            size = min(10**6, rows - start)
            features, labels = random.normal(size=(size, 2)), kinds[random.integers(3, size=size)]
            file.writelines(
                f"{x:.6f},{y:.6f},{kind}\n"
                for (x, y), kind in zip(features.tolist(), labels, strict=True)
            )


def measure(quick):
    rows, rounds = (10_000, 2) if quick else (ROWS, 3)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "table.csv"
        write_table(path, rows)
        size = path.stat().st_size
        readers = {name: lambda _, name=name: run(name, path) for name in ("ours", "pandas_reader")}
        runs = in_turns(readers, rounds)
    figures = {
        name: {key: [one[key] for one in several] for key in ("seconds", "memory")}
        for name, several in runs.items()
    }
    mine, theirs = figures["ours"], figures["pandas_reader"]
    megabytes = {name: f"{max(of['memory']) / 1e6:.0f} MB" for name, of in figures.items()}
    used = versions("pandas")
    lines = [
        Line(
            f"reading a CSV file of {rows:,} rows",
            middle(mine["seconds"]),
            f"pandas.read_csv: {middle(theirs['seconds'])}",
            ratios(theirs["seconds"], mine["seconds"]),
            versions=used,
        ),
        Line(
            f"its memory at {rows:,} rows",
            megabytes["ours"],
            f"pandas.read_csv: {megabytes['pandas_reader']}",
            ratios(theirs["memory"], mine["memory"]),
            versions=used,
        ),
    ]
    return lines, [
        f"The CSV file has {size / 1e6:.0f} MB, two features and a label of three texts."
    ]


if __name__ == "__main__":
    main(measure)
