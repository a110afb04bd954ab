import signal

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch

from lab import turns
from support.interrupts import Interrupts

matplotlib.use("Agg")
torch.set_num_threads(1)  # the tests' tensors are so small that a second thread only costs time


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


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
