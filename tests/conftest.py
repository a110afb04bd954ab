import os
import signal

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.figure import Figure

from lab import progress, turns
from support.interrupts import SIGNALS, Interrupts

matplotlib.use("Agg")
torch.set_num_threads(1)  # the tests' tensors are so small that a second thread only costs time
os.environ.setdefault("OMP_NUM_THREADS", "1")  # so are those of the processes that tests start


def pytest_collection_modifyitems(items):
    """Begin with the notebooks, which take longest, so that no process ends with one alone."""
    items.sort(key=lambda item: "executed" not in item.fixturenames)


@pytest.fixture(autouse=True)
def _no_lines_of_progress(monkeypatch):
    """Have nothing printed by work that takes long because the machine is busy."""
    monkeypatch.setattr(progress, "SECONDS", 10**6)


@pytest.fixture(autouse=True)
def _close_figures():
    torch.set_num_threads(1)  # a run that was resumed may have set another number
    yield
    plt.close("all")


@pytest.fixture(autouse=True)
def _signals_come():
    """Have Ctrl-C and its like come as usual, in the processes that a test starts as well.

    Where tests run in the background or under nohup, some are ignored, and who ignores one hands
    that on.
    """
    usual = dict.fromkeys(SIGNALS, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
    before = {signum: signal.signal(signum, handler) for signum, handler in usual.items()}
    yield
    for signum, handler in before.items():
        signal.signal(signum, handler)


@pytest.fixture
def no_pictures(request, monkeypatch):
    """Spare the time to draw a run's pictures, most of its time, where a test looks at figures.

    A test that asks for `pictures` has them all the same.
    """
    if "pictures" not in request.fixturenames:
        monkeypatch.setattr(Figure, "savefig", lambda self, file, **_: file.write(b"picture"))


@pytest.fixture
def pictures():
    """Have a run draw its pictures, in a module whose tests do without."""


@pytest.fixture
def stop_after(monkeypatch):
    """Return a function that has a signal come after so many steps, counted over all trainings."""
    check, left = Interrupts.check, [0, None]
    monkeypatch.setattr(turns, "TURN", 0)  # each training rests after every step

    def counting_check(self):
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(left[1])
        check(self)

    def stop_after(steps, signum=signal.SIGINT):
        left[:] = steps, signum

    monkeypatch.setattr(Interrupts, "check", counting_check)
    return stop_after
