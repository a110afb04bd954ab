"""Reading two feature columns and a label column of a CSV file, some rows at a time."""

import csv
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from support.text import shown

ROWS_AT_A_TIME = 50_000
MAX_CLASSES = 1000


def is_csv(data: str) -> bool:
    """Whether the name of a data set is the path of a CSV file."""
    return data.lower().endswith(".csv")


class Table(NamedTuple):
    """What a CSV file holds: X (n, 2) float32, y (n,) the numbers of the classes, and the names."""

    X: np.ndarray
    y: np.ndarray
    class_names: tuple[str, ...]
    feature_names: tuple[str, str]


@lru_cache(maxsize=1)  # many seeds split one table in many ways
def read_csv(path: str, features: str | None = None, label: str | None = None) -> Table:
    """Read a UTF-8 file with a header line and commas between the columns.

    features: the names of the two feature columns, as "x1,x2"; by default the first two columns.
    label: the name of the label column, by default the last one. Labels may be any text; the
        classes are numbered in the order of the numbers if all labels are such, else by alphabet.

    A ValueError names the file, the line and the column of what can't be read; an OSError tells
    that the file can't be opened. Needs memory for the numbers, not for the text.
    """
    if "\0" in path or path.encode(errors="ignore").decode() != path:
        raise ValueError(f"{path!r} can't be read: it is no path.")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            try:
                return _read(path, rows, features, label)
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path} must be UTF-8 text; after line {rows.line_num} is the byte "
                    f"{error.object[error.start]:#04x}."
                ) from error
            except csv.Error as error:
                raise ValueError(f"{path}, line {rows.line_num}: {error}.") from error
    except OSError as error:
        raise OSError(f"{path} can't be read: {error.strerror}.") from error


def _read(path, rows, features, label):
    header = [name.strip() for name in next(rows, [])]
    columns = _columns(path, header, features, label)
    points, labels, numbers = [], [], {}  # numbers: label -> its number in the order of appearance
    filled = ((rows.line_num, row) for row in rows if row)  # an empty line is none
    while some := list(islice(filled, ROWS_AT_A_TIME)):
        lines, part = zip(*some, strict=True)
        if any(len(row) != len(header) for row in part):
            i = next(i for i, row in enumerate(part) if len(row) != len(header))
            raise ValueError(
                f"{path}, line {lines[i]} must have {len(header)} columns, as the header has; "
                f"got {len(part[i])}."
            )
        texts = [[row[column] for row in part] for column in columns]
        where = [(path, lines, header[column]) for column in columns]
        points.append(np.stack([_numbers(texts[i], *where[i]) for i in (0, 1)], axis=1))
        labels.append(_number_labels(texts[2], numbers, *where[2]))
    if not points:
        raise ValueError(f"{path} must have rows below its header; it has none.")
    order = _sorted(numbers)
    if len(order) < 2:
        raise ValueError(
            f"{path}, column {shown(header[columns[2]])} must have two classes or more; "
            f"every label is {shown(order[0])}."
        )
    rank = {name: i for i, name in enumerate(order)}
    renumber = np.array([rank[name] for name in numbers], np.int64)
    y = renumber[np.concatenate(labels)]
    counts = np.bincount(y)
    if counts.min() < 2:
        raise ValueError(
            f"{path}, column {shown(header[columns[2]])} must have each class twice or more, to "
            f"train and to test; {shown(order[counts.argmin()])} is there once."
        )
    names = tuple(header[column] for column in columns[:2])
    return Table(np.concatenate(points), y, tuple(order), names)


def _columns(path, header, features, label):
    """Return the places of the two features and of the label among the columns."""
    if header in ([], [""]):
        raise ValueError(f"{path} must begin with a line that names its columns; it has none.")
    if len(header) < 3:
        raise ValueError(
            f"{path}, line 1 must name two features and a label, with commas between them; "
            f"got {shown(','.join(header))}."
        )
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise ValueError(f"{path}, line 1 must name each column once; got {shown(twice)} twice.")
    label = header[-1] if label is None else label.strip()
    if features is None:
        names = [name for name in header if name != label][:2]
    else:
        names = [name.strip() for name in features.split(",")]
    if len(names) != 2 or names[0] == names[1]:
        raise ValueError(
            f"features must be the names of two columns, as 'x1,x2'; got {shown(features)}."
        )
    for name in (*names, label):
        if name not in header:
            raise ValueError(
                f"{path} must have the column {shown(name)}; it has {shown(', '.join(header))}."
            )
    if label in names:
        raise ValueError(f"label must be a column that is no feature; got {shown(label)}.")
    return [header.index(name) for name in (*names, label)]


def _numbers(texts, path, lines, column):
    """Return a column of text as float32, or raise an error that names the line."""
    try:
        values = np.array(texts, np.float64)
    except ValueError:
        values = np.array([_number(text) for text in texts])
    with np.errstate(over="ignore"):  # what is too large for float32 becomes inf
        values = values.astype(np.float32)
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        i = wrong[0]
        got = "nothing" if not texts[i].strip() else repr(texts[i][:40])
        raise ValueError(
            f"{path}, line {lines[i]}, column {shown(column)} must be a finite number; got {got}."
        )
    return values


def _number(text):
    try:
        return float(text)
    except ValueError:
        return np.nan


def _number_labels(texts, numbers, path, lines, column):
    """Return labels as whole numbers, and add the new ones to `numbers`."""
    labels = np.empty(len(texts), np.int32)
    for i, text in enumerate(texts):
        name = text.strip()
        if name not in numbers:
            if not name:
                raise ValueError(
                    f"{path}, line {lines[i]}, column {shown(column)} must be a label; got nothing."
                )
            if len(numbers) == MAX_CLASSES:
                raise ValueError(
                    f"{path}, line {lines[i]}, column {shown(column)} must have at most "
                    f"{MAX_CLASSES:,} different labels; {name[:40]!r} is one more."
                )
            numbers[name] = len(numbers)
        labels[i] = numbers[name]
    return labels


def _sorted(names):
    values = {name: _number(name) for name in names}
    all_numbers = not any(np.isnan(value) for value in values.values())
    return sorted(names, key=lambda name: (values[name], name) if all_numbers else name)
