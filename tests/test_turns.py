"""Trainings in turns: how many at once, on how many threads, and when they rest."""

import threading

import pytest
import torch

from lab import turns
from lab.turns import train_in_turns


class Steps:
    """Stands for a training of some steps, and remembers where each of them was taken."""

    def __init__(self, count):
        self.count, self.taken, self.threads, self.places = count, 0, set(), set()

    def __iter__(self):
        for _ in range(self.count):
            self.taken += 1
            self.threads.add(torch.get_num_threads())
            self.places.add(threading.current_thread())
            yield self


@pytest.fixture(autouse=True)
def _rest_after_every_step(monkeypatch):
    monkeypatch.setattr(turns, "TURN", 0)


def test_each_is_trained_to_its_end_and_comes_back_once():
    trainings = [Steps(count) for count in (3, 1, 0, 5)]
    over = list(train_in_turns(iter(trainings), 2, lambda _: None))
    assert set(over) == set(trainings)
    assert len(over) == 4
    assert [one.taken for one in trainings] == [3, 1, 0, 5]


def test_each_computes_on_one_thread_whatever_the_number_elsewhere():
    torch.set_num_threads(2)
    assert torch.get_num_threads() == 2
    trainings = [Steps(2) for _ in range(3)]
    list(train_in_turns(iter(trainings), 2, lambda _: None))
    assert all(one.threads == {1} for one in trainings)
    assert all(threading.main_thread() not in one.places for one in trainings)
    assert torch.get_num_threads() == 2


def test_no_more_are_made_than_there_are_threads_and_all_rest_for_the_look():
    made, seen = [], []

    def make():
        for count in (2, 6, 2):
            made.append(Steps(count))
            yield made[-1]

    def look(running):
        assert threading.current_thread() is threading.main_thread()
        before = [one.taken for one in running]
        seen.append((len(made), len(running), before))
        assert [one.taken for one in running] == before

    order = [one.count for one in train_in_turns(make(), 2, look)]
    assert order == [2, 2, 6]
    assert [at_once for _, at_once, _ in seen[:3]] == [2, 2, 2]
    assert seen[0] == (2, 2, [1, 1])
    assert [number for number, *_ in seen] == sorted(number for number, *_ in seen)
    assert seen[-1][0] == 3
