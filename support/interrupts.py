"""Ctrl-C and its like as an exception that comes when the work at hand allows it."""

import os
import signal
import sys
import threading
from contextlib import suppress

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # of Ctrl-C, of a system that shuts down, of a terminal
SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


class Interrupted(KeyboardInterrupt):
    """The process was asked to stop; `signum` is the signal that asked."""

    def __init__(self, signum, message="stopped."):
        super().__init__(message)
        self.signum = signum


class Interrupts:
    """While the context is open, the first of `SIGNALS` raises `Interrupted`.

    Where `hold` is set the signal waits until `check` is called. The second signal ends the
    process at once, even in the middle of a long computation.
    """

    def __init__(self):
        self.hold = False
        self.signum = None

    def __enter__(self):
        self._before = {}
        if threading.current_thread() is threading.main_thread():  # no other can handle signals
            for signum in SIGNALS:
                if signal.getsignal(signum) is not signal.SIG_IGN:  # as under nohup
                    self._before[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, kind, error, traceback):
        is_told = self.signum is not None or isinstance(error, Interrupted)
        for signum, handler in self._before.items():  # a second one says no more
            signal.signal(signum, signal.SIG_DFL if is_told and handler is end_program else handler)
        if error is not None and self.signum is not None and kind is not Interrupted:
            raise Interrupted(self.signum) from error  # a library has made another error of it

    def _note(self, signum, _):
        if self.signum is not None:  # the second has come with the first
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
        self.signum = signum
        signal.signal(signum, _pass)
        signal.raise_signal(signum)  # Python looks for what else has come, while it has handlers
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)
        if not self.hold:
            raise Interrupted(signum)

    def check(self):
        """Raise `Interrupted` if a signal has come."""
        if self.signum is not None:
            raise Interrupted(self.signum)


def end_program(signum, _):
    """Handle a signal by ending the process with one sentence."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    with suppress(OSError):
        os.write(2, f"{os.path.basename(sys.argv[0])}: stopped.\n".encode(errors="replace"))
    os._exit(128 + signum)


def _pass(*_):
    """Handle a signal by doing nothing."""
