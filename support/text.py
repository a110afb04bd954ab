"""Numbers, settings and tables as text."""


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


def markdown(rows: list[list[str]]) -> str:
    """Return rows as a Markdown table with aligned columns; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join("| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows)


def shown(value):
    """Return a value as an error message shows it, which no file can make longer than a line."""
    return shortened(repr(value))


def shortened(text, most=200):
    """Return text of at most so many characters, and dots where there were more."""
    return text if len(text) <= most else f"{text[:most]}..."
