"""What a script needs that is run as a program, before it loads libraries: importing it is enough.

Ctrl-C and its like end the program with a sentence, rather than in the middle of an import; later
`support.interrupts` takes over, and when Python ends, the system. Standard streams that are closed
are opened on nothing: else the first files that are opened would get their numbers, and what is
meant for a stream.
"""

import atexit
import os
import signal
import sys
from contextlib import suppress

from support.interrupts import SIGNALS


def _end(signum, _):
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # the end has come, and is told once
    with suppress(OSError):
        os.write(2, f"{os.path.basename(sys.argv[0])}: stopped.\n".encode(errors="replace"))
    os._exit(128 + signum)


@atexit.register
def _leave_to_the_system():
    for signum in SIGNALS:
        if signal.getsignal(signum) is _end:
            signal.signal(signum, signal.SIG_DFL)


for _name, _mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
    if getattr(sys, _name) is None:
        setattr(sys, _name, open(os.devnull, _mode))  # noqa: SIM115 - open to the end

for _signum in SIGNALS:
    if signal.getsignal(_signum) is not signal.SIG_IGN:  # as under nohup
        signal.signal(_signum, _end)
