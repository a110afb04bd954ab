"""How far long work has come: a bar on a terminal, elsewhere a line every ten seconds."""

import sys

from tqdm import tqdm


class Lines:
    """What tqdm writes to in the place of a terminal: each state of the bar becomes a line."""

    def write(self, text):
        text = text.strip("\r\n ")
        if text:
            print(text, file=sys.stderr, flush=True)

    def flush(self):
        pass


def progress(total: int, unit: str, title: str | None = None, silent: bool = False) -> tqdm:
    """Return a tqdm bar for `total` units of work; work of less than ten seconds prints no line."""
    options = dict(total=total, unit=unit, desc=title, disable=silent)
    if not sys.stderr.isatty():
        options |= dict(file=Lines(), mininterval=10, miniters=1, delay=10, ncols=90)
    return tqdm(**options)
