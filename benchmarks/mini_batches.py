"""Training in mini-batches of 256 on 100,000 points: samples a second.

Ours is `train`, which evaluates once at the end on all points; the peers don't evaluate. PyTorch
has one thread in all of them, which is the faster at this size.
"""

import statistics
import warnings

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.measure import LR, MOMENTUM, Line, against, in_turns, main, seconds
from benchmarks.peers import (
    LightningCircles,
    lightning_trainer,
    mlp_classifier,
    skorch_net,
)
from model import CircleModelV2
from train import make_data, train

BATCH_SIZE, EPOCHS = 256, 10


def data_loader(X, y, device="cpu"):
    """The loop of PyTorch's tutorials."""
    model = CircleModelV2().to(device)
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=MOMENTUM)
    loader = DataLoader(TensorDataset(X, y), batch_size=BATCH_SIZE, shuffle=True)
    for _ in range(EPOCHS):
        model.train()
        for X_batch, y_batch in loader:
            X_batch, y_batch = X_batch.to(device), y_batch.to(device)
            loss = loss_fn(model(X_batch), y_batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def lightning(X, y):
    loader = DataLoader(TensorDataset(X, y), batch_size=BATCH_SIZE, shuffle=True)
    lightning_trainer(EPOCHS).fit(LightningCircles(), loader)


def skorch(X, y):
    skorch_net(EPOCHS, BATCH_SIZE).fit(X, y.ravel())


def scikit_learn(X, y):
    classifier = mlp_classifier(BATCH_SIZE, seed=0).set_params(max_iter=EPOCHS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it hasn't converged
        classifier.fit(X.numpy(), y.numpy().ravel())


PEERS = {  # with the goal, and the package that each one is from
    "PyTorch, DataLoader": (data_loader, 4, "torch"),
    "skorch": (skorch, 4, "skorch"),
    "Lightning (barebones), DataLoader": (lightning, 4, "lightning"),
    "scikit-learn MLPClassifier": (scikit_learn, 1, "scikit-learn"),
}


def speed_on(X):
    """Return a function that puts the seconds of trainings on the points X into words."""

    def speed(times):
        return f"{EPOCHS * len(X) / statistics.median(times) / 1000:.0f} thousand samples/s"

    return speed


def measure(quick: bool) -> tuple[list[Line], list[str]]:
    torch.set_num_threads(1)
    data = make_data(samples=10_000 if quick else 100_000)
    X, y = data.X_train, data.y_train

    def ours(number):
        settings = dict(epochs=EPOCHS, batch_size=BATCH_SIZE)
        return seconds(train, CircleModelV2(), data, **settings)

    def timed(run):
        return lambda number: seconds(run, X, y)

    peers = {name: timed(run) for name, (run, _, _) in PEERS.items()}
    times = in_turns({"ours": ours, **peers}, 2 if quick else 7)
    return against(
        f"batches of {BATCH_SIZE}",
        times,
        speed_on(X),
        goal=lambda peer: PEERS[peer][1],
        packages=lambda peer: PEERS[peer][2:],
    ), []


if __name__ == "__main__":
    main(measure)
