"""Several processes train what one would: shares, batches, weights, seeds, and a sudden end."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from benchmarks.step import count_waits
from lab import command_line, shares
from lab.processes import Processes, joined
from lab.shares import block_sizes, make_share, own_part
from model import load_model
from train import make_data

ROOT = Path(__file__).parent.parent
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def torchrun(*arguments, program=ROOT / "train.py"):
    return subprocess.run(
        [*TORCHRUN, program, "--device", "cpu", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=3600,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


# Shares of the data

DATA = {"data": "circles", "test_size": 0.2, "seed": 5}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("samples", [50, 1000, 1003])
def test_the_shares_of_all_processes_are_the_whole(monkeypatch, samples, count):
    monkeypatch.setattr(shares, "BLOCK", 300)
    settings = DATA | {"samples": samples}
    whole = make_share(settings, Processes())
    parts = [make_share(settings, Processes(rank, count)) for rank in range(count)]
    for name in ("X_train", "y_train", "X_test", "y_test"):
        together = torch.cat([getattr(part, name) for part in parts])
        assert torch.equal(together, getattr(whole, name))
    sizes = [len(part.y_train) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    if samples == 50:  # one block is what make_data returns
        assert torch.equal(whole.X_train, make_data(**settings).X_train)


def test_a_process_makes_only_the_blocks_that_it_has_a_part_of(monkeypatch):
    made = []

    def make(**settings):
        made.append(settings["samples"])
        return make_data(**settings)

    monkeypatch.setattr(shares, "BLOCK", 100)
    monkeypatch.setattr(shares, "make_data", make)
    monkeypatch.setattr(shares, "keywords_of", lambda _, settings: settings)
    make_share(DATA | {"samples": 400}, Processes(1, 4))
    assert made == [100]
    made.clear()
    make_share(DATA | {"samples": 400}, Processes(1, 3))
    assert made == [100, 100]


def test_blocks_differ_and_up_to_a_million_points_are_one(monkeypatch):
    assert block_sizes(2**20) == [2**20]
    assert sum(block_sizes(10**7)) == 10**7
    monkeypatch.setattr(shares, "BLOCK", 100)
    X = make_share(DATA | {"samples": 200}, Processes()).X_train
    assert X.shape == (160, 2)
    assert not torch.equal(X[:80], X[80:])


def test_a_file_is_shared_out_too(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("x,y,kind\n" + "\n".join(f"{i},{i % 7},{'ab'[i % 2]}" for i in range(51)))
    settings = {"data": str(path), "test_size": 0.2, "seed": 5}
    whole, parts = make_data(**settings), [make_share(settings, Processes(i, 2)) for i in (0, 1)]
    assert torch.equal(torch.cat([part.X_train for part in parts]), whole.X_train)
    assert all(part.standardize == whole.standardize for part in parts)  # of all points


@pytest.mark.parametrize(("total", "batches", "count"), [(100, 7, 2), (1000, 4, 3), (64, 64, 2)])
def test_each_batch_is_shared_out(total, batches, count):
    order = torch.randperm(total, generator=torch.Generator().manual_seed(0))
    parts = [[] for _ in range(batches)]
    for rank in range(count):
        share = Processes(rank, count).share(total)
        mine, ends = own_part(order, batches, share)
        assert len(mine) == share.stop - share.start
        for part, own in zip(parts, mine.tensor_split(ends), strict=True):
            part += (own + share.start).tolist()
    for part, whole in zip(parts, order.tensor_split(batches), strict=True):
        assert sorted(part) == sorted(whole.tolist())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": 1}, "seeds must be at least the number of processes, 2; got 1"),
        ({"batch_norm": True}, "batch_norm must be off with several processes"),
        ({"batch_size": 100}, "batch_size must be 128 or more with 2 processes; got 100"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(settings, message):
    Processes().check(**settings)
    with pytest.raises(ValueError, match=message):
        Processes(0, 2).check(**settings)


# Two processes


SETTINGS = ["--samples", "1500", "--batch-size", "128", "--epochs", "12", "--record-every", "4"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "more", [[], ["--data", "spirals", "--classes", "3", "--activation", "tanh"]], ids=str
)
def test_two_processes_end_where_one_ends(tmp_path, more):
    arguments = [*SETTINGS, *more]
    command_line.main([*arguments, "--device", "cpu", "--out", str(tmp_path / "one")])
    done = torchrun(*arguments, "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("points to train on") == 1  # one of them prints
    assert done.stdout.startswith("1200 points to train on, 300 to test on")
    one, two = (
        json.loads((tmp_path / name / "metrics.json").read_text())["models"]
        for name in ("one", "two")
    )
    for name, file in (
        ("CircleModelV0", "circle_model_v0.safetensors"),
        ("CircleModelV2", "circle_model_v2.safetensors"),
    ):
        history, other = one[name]["history"], two[name]["history"]
        assert other["epoch"] == history["epoch"] == [4, 8, 12]
        for key in ("train_loss", "test_loss"):
            assert other[key] == pytest.approx(history[key], rel=1e-4)
        for key in ("train_acc", "test_acc"):
            assert other[key] == pytest.approx(history[key], abs=0.004)
        weights, others = (
            load_model(tmp_path / folder / file).state_dict() for folder in ("one", "two")
        )
        for key, tensor in weights.items():
            torch.testing.assert_close(others[key], tensor, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_two_processes_share_the_seeds(tmp_path):
    arguments = ["--seeds", "5", "--samples", "200", "--epochs", "12"]
    command_line.main([*arguments, "--device", "cpu", "--out", str(tmp_path / "one")])
    done = torchrun(*arguments, "--out", tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("5 seeds, 42 to 46") == 1
    one, two = (
        json.loads((tmp_path / name / "metrics.json").read_text())["figures"]
        for name in ("one", "two")
    )
    for figures, others in zip(one, two, strict=True):
        assert others["seeds"] == 5
        assert others["mean"] == pytest.approx(figures["mean"], abs=0.006)
        assert others["train_loss"] == pytest.approx(figures["train_loss"], rel=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the threads of a process in /proc")
def test_the_threads_that_talk_to_other_processes_end_before_python_does(tmp_path):
    """Or Python aborts now and then, as such a thread wants the interpreter that is gone."""
    program = tmp_path / "program.py"
    program.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from lab.command_line import main; main()\n"
        "from pathlib import Path\n"
        "names = [path.read_text() for path in Path('/proc/self/task').glob('*/comm')]\n"
        "print('threads:', *map(str.strip, names))\n"
    )
    done = torchrun("--samples", "300", "--epochs", "2", "--out", tmp_path / "out", program=program)
    threads = [line for line in done.stdout.splitlines() if line.startswith("threads:")]
    assert len(threads) == 2, done.stderr
    assert not any("gloo" in line for line in threads), threads


def test_a_lost_connection_is_one_sentence_and_another_error_is_not(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    for name in ("init_process_group", "destroy_process_group"):
        monkeypatch.setattr(torch.distributed, name, lambda *_, **__: None)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    cpu = torch.device("cpu")
    with joined(cpu) as (processes, device):
        assert (processes.rank, processes.count, device) == (1, 2, cpu)
    with pytest.raises(OSError, match="another process of this job has stopped"), joined(cpu):
        raise RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer")
    with pytest.raises(RuntimeError, match="shapes"), joined(cpu):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of a job in /proc")
def test_a_process_that_dies_ends_the_job_with_a_clear_error(tmp_path):
    out = tmp_path / "out"
    job = subprocess.Popen(
        [*TORCHRUN, ROOT / "train.py", *SETTINGS, "--epochs", "1000000", "--out", out],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    with job:
        try:
            while not out.exists() and job.poll() is None:
                time.sleep(0.1)
            time.sleep(2)  # they have met, and now train together
            os.kill(children(job.pid)[1], signal.SIGKILL)
            _, errors = job.communicate(timeout=3600)  # no hang
        finally:
            with suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)  # nothing is left behind
    assert job.returncode not in (0, -signal.SIGKILL)
    assert "SIGKILL" in errors  # torchrun's own words, or else ours
    assert not (out / "metrics.json").exists()


def children(parent):
    """Return the numbers of the processes that one has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == parent:
            found.append(int(status.parent.name))
    return sorted(found)


# One device


def test_a_process_without_a_gpu_of_its_own_is_refused(monkeypatch):
    monkeypatch.setattr("lab.processes._by_torchrun", lambda: True)
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with (
        pytest.raises(ValueError, match=r"at most the 2 GPUs .* got 3 or more"),
        joined(torch.device("cuda")),
    ):
        pass


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("batch_size", [None, 100])
def test_the_loop_does_not_wait_for_the_device_between_two_records(batch_size):
    assert count_waits(5, batch_size) == count_waits(50, batch_size)
