"""CircleModelV2 and its recipe as scikit-learn, skorch and Lightning would have them written."""

import logging
import warnings

import lightning
import torch
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetBinaryClassifier
from torch import nn

from benchmarks.measure import HIDDEN, LR, MOMENTUM, RECORD_EVERY
from model import CircleModelV2

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lightning")  # advice on workers and logging


def mlp_classifier(batch_size, seed, shuffle=True):
    """Return scikit-learn's network, with our recipe; its initial weights are its own."""
    return MLPClassifier(
        (HIDDEN, HIDDEN),
        solver="sgd",
        alpha=0.0,
        batch_size=batch_size,
        shuffle=shuffle,
        learning_rate_init=LR,
        momentum=MOMENTUM,
        nesterovs_momentum=False,
        random_state=seed,
    )


def skorch_net(epochs, batch_size, callbacks=()):
    """Return skorch's wrapper around CircleModelV2; a batch size of -1 is the full batch."""
    return NeuralNetBinaryClassifier(
        CircleModelV2,
        max_epochs=epochs,
        lr=LR,
        optimizer=torch.optim.SGD,
        optimizer__momentum=MOMENTUM,
        batch_size=batch_size,
        iterator_train__shuffle=batch_size > 0,
        train_split=None,
        callbacks=list(callbacks),
        verbose=0,
    )


class LightningCircles(lightning.LightningModule):
    """CircleModelV2 as a LightningModule that stops at a validation accuracy of `goal`."""

    def __init__(self, goal=2.0):
        super().__init__()
        self.model = CircleModelV2()
        self.loss_fn = nn.BCEWithLogitsLoss()
        self.goal = goal

    def training_step(self, batch, batch_idx):
        X, y = batch
        return self.loss_fn(self.model(X), y)

    def validation_step(self, batch, batch_idx):
        X, y = batch
        right = ((self.model(X) > 0) == y.bool()).sum().item()
        if right / len(y) >= self.goal:
            self.trainer.should_stop = True

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=LR, momentum=MOMENTUM)


def lightning_trainer(epochs):
    """Return Lightning's trainer with all that slows it down switched off."""
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        barebones=True,
        check_val_every_n_epoch=RECORD_EVERY,
    )
