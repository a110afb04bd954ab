"""What a script needs that is run as a program, before it loads libraries: importing it is enough.

Ctrl-C and its like end the program with a sentence, rather than in the middle of an import; later
`Interrupts` takes over. Standard streams that are closed are opened on nothing: else the first
files that are opened would get their numbers, and what is meant for a stream.
"""

import os
import signal
import sys

from support.interrupts import SIGNALS, end_program

for _name, _mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
    if getattr(sys, _name) is None:
        setattr(sys, _name, open(os.devnull, _mode))  # noqa: SIM115 - open to the end

for _signum in SIGNALS:
    if signal.getsignal(_signum) is not signal.SIG_IGN:  # as under nohup
        signal.signal(_signum, end_program)
