import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch

matplotlib.use("Agg")
torch.set_num_threads(1)  # the tests' tensors are so small that a second thread only costs time


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")
