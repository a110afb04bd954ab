"""Training that goes some epochs further at each call, with random numbers of its own."""

import math
import time

import torch

from support.checks import check_settings
from support.interrupts import Interrupts
from train import Training

FOREVER = 10**9  # epochs


class Stepwise:
    """A `Training` that goes some epochs further each time that `advance` is called.

    Whatever else draws random numbers in between, the weights are to the bit those of one training
    without stops. They begin where torch's random state is now, so make one right after the model.
    """

    def __init__(self, model, data, settings: dict):
        self.training = Training(
            model, data, **settings | {"epochs": FOREVER, "record_every": FOREVER}
        )
        self._random_state = torch.get_rng_state()

    @property
    def model(self):
        return self.training.model

    @property
    def epoch(self) -> int:
        """Epochs that are over."""
        return self.training.epoch

    @property
    def in_epoch(self) -> bool:
        """Whether another one has begun."""
        return self.training.step > 0

    def advance(self, epochs: int = 1, seconds: float = math.inf) -> None:
        """Train until so many more epochs are over or the time is; raise what the training raises.

        When the time is over it may stop between two batches; the next call goes on from there.
        """
        target, deadline = self.epoch + epochs, time.monotonic() + seconds
        with torch.random.fork_rng(devices=[]), Interrupts() as interrupts:
            torch.set_rng_state(self._random_state)
            interrupts.hold = True  # Ctrl-C waits until the step is over
            try:
                for _ in self.training:
                    interrupts.check()
                    if self.epoch >= target or time.monotonic() >= deadline:
                        break
            finally:
                self._random_state = torch.get_rng_state()

    def change(self, **settings) -> None:
        """Go on with another lr, momentum or weight_decay."""
        check_settings(**settings)
        self.training.optimizer.param_groups[0].update(settings)

    @property
    def begun(self) -> bool:
        """Whether the first epoch has begun."""
        return self.epoch > 0 or self.in_epoch
