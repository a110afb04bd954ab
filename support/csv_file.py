"""Reading two feature columns and a label column of a CSV file, some rows at a time.

How the file is written (its letters, what stands between the columns, decimal commas) is detected,
and the table's notes say so where it isn't the plain way: UTF-8, commas and points that are surely
decimal.
"""

import codecs
import csv
import re
from collections import Counter
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import islice
from threading import Event
from typing import NamedTuple
from unicodedata import normalize

import numpy as np

from support.files import check_regular_file
from support.text import listed, shortened, shown, single_spaced

ROWS_AT_A_TIME = 50_000
MAX_CLASSES = 1000
MANY = 30  # more labels are rather measurements or names than classes
MAX_NAME = 200  # characters
MAX_LINE = 10**7  # characters
LARGEST = 1e30  # its square and the differences of such numbers are numbers, too
SAMPLE = 2**16  # bytes that tell how a file is written
EXACT = 2**53  # float64 has every whole number below it
UNNAMED = re.compile(r"|Unnamed: \d.*")  # as pandas writes and reads the numbers of rows
THOUSANDS = re.compile(r"[+-]?\d{1,3}([,.'\u2019\s]\d\d)*([,.'\u2019\s]\d{3})+([,.]\d+)?")
AMBIGUOUS = re.compile(r"[+\u2212-]?[1-9]\d{0,2}([,.])\d{3}(\1\d{3})*")  # 1.000: one or a thousand
# A number with a decimal comma, with a unit, too: 1,50 EUR.
WITH_COMMA = re.compile(r"[^\w.[(]*([\d.]*,\d+(e[+-]?\d+)?)[^\d,-]*", re.IGNORECASE)
PARTED = re.compile(r"[+\u2212-]?\d{1,3}(\.\d{3})*|[+\u2212-]?\d*")  # the whole part of 1.000,5
MISSING = {"na", "n/a", "#n/a", "nan", "null", "none", "?"}  # ways to write that there is nothing
LETTERS = {"cp1252": "Windows-1252 (Latin-1)", "utf-16": "UTF-16"}
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
BEGINNINGS = {  # in small letters, of files that may be called .csv and are none
    b"pk\x03\x04": "a spreadsheet or another zip archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\x1f\x8b": "compressed with gzip",
    b"\xfd7zxz": "compressed with xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"bzh": "compressed with bzip2",
    b"(\xb5/\xfd": "compressed with Zstandard",
    b"par1\x15": "a Parquet file",
    b"%pdf": "a PDF document",
    **dict.fromkeys((b"<!doctype", b"<html", b"<table>", b"<table "), "a web page"),
    b"<?xml": "an XML document",
    **dict.fromkeys((b'{"', b"[{"), "JSON"),
    b"version https://git-lfs": "a pointer to a file that Git LFS has",
}
held = Event()  # is set while files are taken for unchanging
rows_of = partial(csv.reader, skipinitialspace=True)  # quotes may follow a comma and a space


def is_csv(data: str) -> bool:
    """Whether the name of a data set is the path of a CSV file."""
    return data.lower().endswith(".csv")


class Table(NamedTuple):
    """What a CSV file holds: X (n, 2) float64, y (n,) the numbers of the classes, and the names."""

    X: np.ndarray
    y: np.ndarray
    class_names: tuple[str, ...]
    feature_names: tuple[str, str]
    notes: tuple[str, ...] = ()  # sentences on how the file was read


def read_csv(path: str, features: str | None = None, label: str | None = None) -> Table:
    """Read a text file with a header line, and commas, semicolons, tabs or bars between columns.

    features: the names of the two feature columns, as "x1,x2"; by default the first two columns
        that have names.
    label: the name of the label column, by default the last that has one. Labels may be any text;
        the classes are numbered in the order of the numbers if all labels are such (1 and 1.0 are
        one), else by alphabet.

    A ValueError names the file, the line and the column of what can't be read; an OSError tells
    that the file can't be opened. Needs memory for the numbers, not for the text.
    """
    if "\0" in path or path.encode(errors="ignore").decode() != path:
        raise ValueError(f"{path!r} can't be read: it is no path.")
    try:
        status = check_regular_file(path)
        state = held.is_set() or (status.st_ino, status.st_mtime_ns, status.st_size)
        return _read_once(path, features, label, state)
    except OSError as error:
        raise OSError(f"{path} can't be read: {error.strerror}.") from error


@lru_cache(maxsize=1)  # many seeds split one table in many ways
def _read_once(path, features, label, state):
    """Read a file, whose state tells when it has changed."""
    encoding, separator = _look(path)
    with open(path, encoding=encoding, errors="backslashreplace", newline="") as file:
        read = partial(_read, path, file, features, label, encoding, _Marks(separator))
        return read() or read()  # again, where some rows were read before a decimal comma came


@contextmanager
def unchanging_files():
    """Take a file for what it was when it was read first, so that no run mixes two tables."""
    _read_once.cache_clear()
    held.set()
    try:
        yield
    finally:
        held.clear()


def _rows(path, file, separator):
    """Yield the rows of a file, each after the number of its line, and all as long as the first.

    Empty ones are left out, and a line such as sep=; that Excel puts before the header.
    """
    file.seek(0)
    rows, header = rows_of(_lines(path, file), strict=True, delimiter=separator), None
    try:
        for row in rows:
            if any(map(str.strip, row)) and (header or not row[0].startswith("sep=")):
                header = header or row
                if len(row) != len(header):
                    raise ValueError(
                        f"{path}, line {rows.line_num} must have {len(header)} columns, as the "
                        f"header has; got {len(row)}."
                    )
                yield rows.line_num, row
    except csv.Error as error:
        raise ValueError(f"{path}, line {max(1, rows.line_num)}: {error}.") from error


def _lines(path, file):
    """Yield a file's lines, of which none may fill the memory."""
    lines = iter(partial(file.readline, MAX_LINE + 1), "")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            raise ValueError(f"{path}, line {number} must have at most {MAX_LINE:,} characters.")
        yield line


def _look(path):
    """Return a file's encoding and what stands between its columns."""
    with open(path, "rb") as file:
        sample = file.read(SAMPLE)
    text = sample.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for beginning, kind in BEGINNINGS.items():
        if text.startswith(beginning):
            raise ValueError(f"{path} must be a table as text; it is {kind}. Save it as CSV first.")
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in sample:
        raise ValueError(f"{path} must be text; it has bytes that are 0.")
    else:
        letters = sample.decode(errors="replace")
        wrong = letters.count("\ufffd")  # a few, where most are UTF-8's, are shown as \xe9
        most = sample.startswith(codecs.BOM_UTF8) or sum(map("\x7f".__lt__, letters)) > 2 * wrong
        encoding = "utf-8-sig" if most or _is_utf_8(path) else "cp1252"
    lines = sample.decode(encoding, errors="replace").splitlines(keepends=True)
    whole = lines if len(sample) < SAMPLE else lines[:-1] or lines
    lines = [line for line in whole if line.strip()][:21]
    return encoding, max(SEPARATORS, key=lambda separator: _fit(lines, separator))


def _is_utf_8(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return all(iter(partial(file.read, SAMPLE), ""))
    except UnicodeDecodeError:
        return False


def _fit(lines, separator):
    """Return how well a separator cuts lines: rows as long as the header, columns, numbers."""
    try:
        rows = [*rows_of(lines, delimiter=separator)]
    except csv.Error:
        return 0, 0, 0
    lengths = [*map(len, rows)]
    columns = lengths[0] if lengths else 0
    texts = [text for row in rows for text in row]
    numbers = sum(bool(WITH_COMMA.fullmatch(text)) or np.isfinite(_number(text)) for text in texts)
    return (lengths.count(columns) if columns > 2 else 0), columns, numbers


class _Marks:
    """What the numbers read so far tell of a table's commas and points.

    decimal_points: whether the features' points are decimal; None without any, False where they all
        may part thousands.
    comma: a feature that shows that commas are decimal; other_comma: any number that does.
    """

    def __init__(self, separator):
        self.separator = separator
        self.decimal_points = self.comma = self.other_comma = None

    def see(self, features, part):
        """Take in the texts of the features in some rows; part: the rows."""
        if not self.decimal_points:
            if points := [text.strip() for text in features if "." in text]:
                self.decimal_points = not all(map(AMBIGUOUS.fullmatch, points))
            if not self.other_comma:
                self.other_comma = next(filter(None, map(self.decimal_comma, part)), None)
        self.comma = self.decimal_comma(features)

    def decimal_comma(self, texts):
        """Return a number with a decimal comma; where semicolons cut columns, 1,000 may be one."""
        any_comma = self.separator == ";" and not self.decimal_points
        for text in texts if "," in "".join(texts) else ():
            number = "," in text and WITH_COMMA.fullmatch(text)
            if number and (any_comma or not AMBIGUOUS.fullmatch(number[1])):
                return text


def _read(path, file, features, label, encoding, marks):
    """Return the table, or None where commas turn out to be decimal after some rows were read."""
    rows = _rows(path, file, marks.separator)
    line, header = next(rows, (1, None))
    if header is None:
        raise ValueError(f"{path} must begin with a line that names its columns; it has none.")
    header = [*map(single_spaced, header)]
    columns = _columns(f"{path}, line {line}", header, features, label)
    points, labels, numbers = [], [], {}  # numbers: label -> its number in the order of appearance
    while some := list(islice(rows, ROWS_AT_A_TIME)):
        lines, part = zip(*some, strict=True)
        texts = [[row[column] for row in part] for column in columns]
        if not marks.comma:
            marks.see(texts[0] + texts[1], part)
            if marks.comma and points:
                return None
        where = [(path, lines, header[column]) for column in columns]
        points.append(
            np.stack([_numbers(texts[i], marks.comma, *where[i]) for i in (0, 1)], axis=1)
        )
        labels.append(_number_labels(texts[2], numbers, *where[2]))
    if not points:
        raise ValueError(f"{path} must have rows below its header; it has none.")
    if not marks.comma and marks.decimal_points is False and marks.other_comma:
        marks.comma = marks.other_comma
        return None
    where = f"{path}, column {shown(header[columns[2]])}"
    class_names, y = _classes(where, numbers, labels, marks.comma or marks.decimal_comma(numbers))
    X, feature_names = np.concatenate(points), tuple(header[column] for column in columns[:2])
    notes = _notes(path, encoding, marks) + _notes_on_labels(where, class_names)
    if features is None:
        notes += [
            f"{path}, column {shown(name)} seems to number the rows; --features names others."
            for name, values in zip(feature_names, X.T, strict=True)
            if (np.diff(np.sort(values)) == 1).all()  # in any order
        ]
        if any(map(UNNAMED.fullmatch, header)):
            notes.append(f"{path} has a column without a name, which is taken for no feature.")
    X.flags.writeable = y.flags.writeable = False  # all who ask get the same
    return Table(X, y, class_names, feature_names, tuple(notes))


def _columns(where, header, features, label):
    """Return the places of the two features and of the label among the columns."""
    names = [name for name in header if not UNNAMED.fullmatch(name)]
    if len(names) < 3:
        raise ValueError(
            f"{where} must name two features and a label, with commas between them; "
            f"got {shown(','.join(header))}."
        )
    label = names[-1] if label is None else single_spaced(label)
    others = [name for name in names if name != label][:2]
    if features is None and any(np.isfinite(_number(_with_point(name) or name)) for name in others):
        raise ValueError(
            f"{where} must name the columns; got numbers, {shown(', '.join(header))}. "
            "Put a line such as x1,x2,label before them; if they are names, use --features."
        )
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise ValueError(f"{where} must name each column once; got {shown(name)} twice.")
    _check_length(max(names, key=len), where)
    wanted = others if features is None else _two_names(features, set(header))
    if len(wanted) != 2 or wanted[0] == wanted[1]:
        raise ValueError(
            f"features must be the names of two columns, as 'x1,x2'; got {shown(features)}."
        )
    for name in (*wanted, label):
        if name not in header:
            raise ValueError(
                f"{where} must have the column {shown(name)}; it has {shown(', '.join(header))}."
            )
    if label in wanted:
        raise ValueError(f"label must be a column that is no feature; got {label!r}.")
    return [header.index(name) for name in (*wanted, label)]


def _two_names(text, names):
    """Return the names of two columns that a text such as x1,x2 has; they may have commas, too."""
    text = single_spaced(text)
    parts = text.split(",")
    cuts = [(",".join(parts[:i]), ",".join(parts[i:])) for i in range(1, min(len(parts), 50))]
    for cut in (*cuts, *rows_of([text[: 3 * MAX_NAME]])):
        if all(name.strip() in names for name in cut):
            return [name.strip() for name in cut]
    return [name.strip() for name in parts]


def _check_length(name, where):
    if len(name) > MAX_NAME:
        raise ValueError(
            f"{where} must have names of at most {MAX_NAME} characters; got {len(name):,}, "
            f"{name[:40]!r}..."
        )


def _numbers(texts, comma, path, lines, column):
    """Return a column of text as float64, or raise an error that names the line."""
    written = list(map(_with_point, texts)) if comma else texts
    try:
        values = np.array(written, np.float64)
    except ValueError:
        values = np.array(list(map(_number, written)))
    if "_" in "".join(written):  # which Python takes for part of a number
        values = np.array(list(map(_number, written)))
    wrong = np.flatnonzero(~(abs(values) <= LARGEST))
    if len(wrong):
        i = wrong[0]
        rule = "a finite number" if not np.isfinite(values[i]) else f"a number up to {LARGEST:g}"
        text, hint = texts[i].strip(), ""
        got = repr(texts[i][:40]) if text else "nothing"
        words = text[:1].isalpha() and text.lower() not in MISSING
        if words and np.isnan(values).all():
            hint = f" If these are the classes, say --label {shown(column)}; "
            hint += "--features names other columns."
        elif comma and "." in text:
            hint = f" Because of {shown(comma)} commas count as decimal; write it without a point."
        elif THOUSANDS.fullmatch(text):
            hint = " Thousands must not be parted"
            hint += "." if comma else ", and decimals follow a point."
        raise ValueError(
            f"{path}, line {lines[i]}, column {shown(column)} must be {rule}; got {got}.{hint}"
        )
    return values


def _with_point(text):
    """Return a number that has a decimal comma with a point, and without those of thousands."""
    whole, comma, rest = text.strip().partition(",")
    if not comma:
        return "" if "." in text else text  # in such a file a point alone may mean either
    return f"{whole.replace('.', '')}.{rest}" if PARTED.fullmatch(whole) else ""


def _number(text):
    try:
        return np.nan if "_" in text else float(text.replace("\u2212", "-"))  # a minus sign
    except ValueError:
        return np.nan


def _number_labels(texts, numbers, path, lines, column):
    """Return labels as whole numbers, and add the new ones to `numbers`."""
    labels = np.empty(len(texts), np.int32)
    for i, text in enumerate(texts):
        name = text.strip()
        if name not in numbers:
            where = f"{path}, line {lines[i]}, column {shown(column)}"
            if not name:
                raise ValueError(f"{where} must be a label; got nothing.")
            if len(numbers) == MAX_CLASSES:
                raise ValueError(
                    f"{where} must have at most {MAX_CLASSES:,} different labels; {name[:40]!r} is "
                    "one more. The option --label names another column."
                )
            _check_length(name, where)
            numbers[name] = len(numbers)
        labels[i] = numbers[name]
    return labels


def _classes(where, numbers, labels, comma):
    """Return the names of the classes in their order, and each row's class.

    numbers: each label's number, which `labels`, a list of arrays, have.
    """
    values = {name: _number(_with_point(name) if comma else name) for name in numbers}
    if not all(abs(value) < EXACT for value in values.values()):
        values = {name: name for name in numbers}
    shortest = {}  # the way to write each number, of 1 and 1.0
    for name in sorted(numbers, key=len, reverse=True):
        shortest[values[name]] = name
    order = sorted(shortest)
    if len(order) < 2:
        raise ValueError(
            f"{where} must have two classes or more; every label is {shown(shortest[order[0]])}."
        )
    rank = {value: i for i, value in enumerate(order)}
    y = np.array([rank[values[name]] for name in numbers], np.int64)[np.concatenate(labels)]
    counts = np.bincount(y)
    many = MANY if isinstance(order[0], str) else min(MANY, len(y) / 10)
    if counts.min() < 2 and len(order) > many:
        raise ValueError(
            f"{where} must have classes; got {len(order)} different labels in {len(y)} rows, as "
            "measurements or names have. The option --label names another column."
        )
    if counts.min() < 2:
        raise ValueError(
            f"{where} must have each class twice or more, to train and to test; "
            f"{shown(shortest[order[counts.argmin()]])} is there once. The option --label names "
            "another column."
        )
    return tuple(shortest[value] for value in order), y


def _notes(path, encoding, marks):
    """Return sentences on how a file was read, where it isn't the plain way."""
    ways = []
    if marks.separator != ",":
        ways.append(f"{SEPARATORS[marks.separator]} between its columns")
    if marks.comma:
        ways.append("decimal commas")
    elif marks.decimal_points is False:
        ways.append("decimal points")
    if encoding in LETTERS:
        ways.append(f"letters of {LETTERS[encoding]}")
    return [f"{path} was read with {listed(ways)}."] if ways else []


def _notes_on_labels(where, class_names):
    """Return sentences on classes that may be meant for one, or for none."""
    notes, alike = [], {}
    for name in class_names:
        number, letters = _number(name), normalize("NFKC", name).casefold()
        alike.setdefault(number if abs(number) < EXACT else letters, []).append(name)
    several = [listed([*map(shown, names)]) for names in alike.values() if len(names) > 1]
    if several:
        names = shortened("; ".join(several))
        notes.append(f"{where} has the classes {names}, which differ in their writing only.")
    if len(class_names) > MANY and np.isfinite([*map(_number, class_names)]).all():
        many = f"{len(class_names)} different numbers, which are taken for classes"
        notes.append(f"{where} has {many}; --label names another column.")
    broken = [name for name in class_names if re.search(r"\\x[89a-f]", name)]
    if broken:
        notes.append(f"{where} has letters that aren't UTF-8: '{shortened(listed(broken))}'.")
    missing = [shown(name) for name in class_names if name.lower() in MISSING]
    if missing:
        notes.append(f"{where} has {listed(missing)}, which is taken for a class like the others.")
    return notes
