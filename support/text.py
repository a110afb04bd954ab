"""Numbers, settings and tables as text."""

import re


def percent(share, interval=None, digits=2):
    """Return a share as text in percent, with its interval where one is given."""
    text = f"{100 * share:.{digits}f}"
    if interval is not None:
        text += " ({} to {})".format(*(f"{100 * end:.{digits}f}" for end in interval))
    return text + " %"


def as_argument(value) -> str:
    """Return a setting's value as the command line takes it: 8x4 for (8, 4), 8x for (8,)."""
    if isinstance(value, tuple):
        return "x".join(map(str, value)) if len(value) > 1 else f"{value[0]}x"
    return str(value)


def listed(parts) -> str:
    """Return texts as one: a, b and c."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last


def counted(number: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun: 1 piece, 2 pieces."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def markdown(rows: list[list[str]]) -> str:
    """Return rows as a Markdown table with aligned columns; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows)


def shown(value):
    """Return a value as an error message shows it, which nothing can make longer than a line."""
    try:
        return shortened(re.sub(r"\s*\n\s*", " ", repr(value)))
    except ValueError:  # Python writes no number of more than 4300 digits
        return f"one of type {type(value).__name__} that is too long to show"


def shortened(text, most=200):
    """Return text of at most so many characters, without its middle where it is longer."""
    half = most // 2
    return text if len(text) <= most else f"{text[: half - 3]}...{text[-half:]}"


def single_spaced(text):
    """Return text with one space for each run of white space, and none at its ends."""
    return " ".join(text.split())


def on_one_line(text):
    """Return text with what isn't printable, as the ends of lines, written as escapes."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
