"""Training that stops and goes on: `train` as it is, some epochs at a time."""

import math
import threading
import time

import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from support.checks import check_settings

FOREVER = 10**9  # epochs


class Stepwise:
    """A call of `train` that goes some epochs further each time that `advance` is called.

    The call runs in a thread of its own, but only while `advance` waits for it, so the two never
    run at once. Its random numbers are its own as well: whatever else draws some in between, the
    weights are to the bit those of one call without stops. They begin where torch's random state
    is now, so make one right after the model.
    """

    def __init__(self, train, model, data, settings: dict):
        self.model = model
        self.epoch = 0  # epochs that are over
        self.in_epoch = False  # whether another one has begun
        self._train, self._data, self._settings = train, data, settings
        self._random_state = torch.get_rng_state()
        self._turn, self._running, self._over = threading.Condition(), False, False
        self._thread = self._optimizer = self._error = None

    def advance(self, epochs: int = 1, seconds: float = math.inf) -> None:
        """Train until so many more epochs are over or the time is; raise what `train` raises.

        When the time is over it may stop between two batches; the next call goes on from there.
        """
        if self._over:
            raise self._error or RuntimeError("training is over; make another Stepwise.")
        self._target, self._deadline = self.epoch + epochs, time.monotonic() + seconds
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._random_state)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            try:
                self._give_turn(running=True)
            finally:
                self._deadline = 0  # after an interrupt (Ctrl+C): rest at the next step
                self._await_turn(running=True)
                self._random_state = torch.get_rng_state()
        if self._error is not None:
            raise self._error

    def change(self, **settings) -> None:
        """Go on with another lr, momentum or weight_decay."""
        check_settings(**settings)
        if self._optimizer is None:  # made in the first step
            self._settings = self._settings | settings
        else:
            self._optimizer.param_groups[0].update(settings)

    def close(self) -> None:
        """End the thread; the model stays as it is."""
        if self._thread is not None and not self._over:
            self._over = True
            self._give_turn(running=True)
        self._over = True

    @property
    def begun(self) -> bool:
        """Whether the first epoch has begun."""
        return self.epoch > 0 or self.in_epoch

    # In the thread

    def _run(self):
        self._await_turn(running=False)
        hook = register_optimizer_step_pre_hook(self._before_step)
        try:
            self._train(
                self.model,
                self._data,
                **self._settings,
                epochs=FOREVER,
                record_every=FOREVER,
                progress=lambda epochs, name: epochs,
                on_epoch=self._after_epoch,
            )
        except _Closed:
            pass
        except BaseException as error:
            self._error = error
        finally:
            hook.remove()
            self._over, self.in_epoch = True, False
            with self._turn:
                self._running = False
                self._turn.notify_all()

    def _before_step(self, optimizer, args, kwargs):
        if threading.current_thread() is self._thread:
            self._optimizer, self.in_epoch = optimizer, True
            self._rest_if_due()

    def _after_epoch(self, epoch):
        self.epoch, self.in_epoch = epoch, False
        self._rest_if_due()

    def _rest_if_due(self):
        if self.epoch >= self._target or time.monotonic() >= self._deadline:
            self._give_turn(running=False)
            if self._over:
                raise _Closed

    # In both

    def _give_turn(self, running: bool):
        """Let the other thread run, and wait until it is this one's turn again."""
        with self._turn:
            self._running = running
            self._turn.notify_all()
        self._await_turn(running)

    def _await_turn(self, running: bool):
        with self._turn:
            self._turn.wait_for(lambda: self._running != running)


class _Closed(BaseException):
    """Ends the thread from within `train`; no `except Exception` on the way stops it."""
