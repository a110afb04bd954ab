"""How far long work has come: a bar on a terminal, elsewhere a line now and then."""

import sys
from contextlib import suppress

from tqdm import tqdm

SECONDS = 10  # from one line to the next


class Lines:
    """What tqdm writes to in the place of a terminal: each state of the bar becomes a line.

    A line that can't be written, as on a full disk, is no reason to stop the work.
    """

    def write(self, text):
        text = text.strip("\r\n ")
        if text:
            with suppress(OSError):
                print(text, file=sys.stderr, flush=True)

    def flush(self):
        pass


def progress(total: int, unit: str, title: str | None = None, silent: bool = False) -> tqdm:
    """Return a tqdm bar for `total` units of work; short work prints no line."""
    options = dict(total=total, unit=unit, desc=title, disable=silent)
    if not sys.stderr.isatty():
        options |= dict(file=Lines(), mininterval=SECONDS, miniters=1, delay=SECONDS, ncols=90)
    return tqdm(**options)
