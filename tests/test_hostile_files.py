"""Files that were damaged or made to do harm: a valid model or one error, and nothing else."""

import io
import os
import pickle
import random
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

import lab.run
from lab import command_line, saved_models
from model import CheckpointError, CircleModelV0, CircleModelV2, load_checkpoint, save_model

MODELS = (
    CircleModelV0(hidden_units=3),
    CircleModelV2(hidden_units=(4, 2), out_features=3, activation="tanh"),
    CircleModelV2(hidden_units=3, batch_norm=True, standardize=([0.0, 1.0], [1.0, 2.0])),
)


def load(path):
    """Load a file, and use the model if there is one; whether there was one.

    Fails where anything else than a model or a CheckpointError of one sentence comes of it.
    """
    error = None
    try:
        model, settings = load_checkpoint(path)
    except CheckpointError as caught:
        error = str(caught)
    if error is not None:
        assert str(path) in error
        assert "\n" not in error
        assert len(error) < 1000
        return False
    kind = model.layers.output.weight.dtype
    points = torch.zeros(3, model.arguments["in_features"], dtype=kind)
    assert model(points).shape == (3, model.arguments["out_features"])
    assert isinstance(settings, dict)
    assert len(repr(settings)) < 10**6 + 100
    return True


# Files that act


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(target):
    """Return what would create the file `target`, or take much memory, if it were run."""
    create = f"open({target!r}, 'w')"
    return {
        "open": Call(open, target, "w"),
        "system": Call(os.system, f"touch {target}"),
        "eval": Call(eval, create),
        "exec": Call(exec, create),
        "path": Call(Path.touch, Path(target)),
        "storage": Call(torch.FloatStorage, 10**10),
        "bytearray": Call(bytearray, 10**10),
        "tensor from file": Call(torch.from_file, target, True, 10),
        "nested load": Call(torch.load, target),
        "dict": Call(OrderedDict, Call(eval, create)),
    }


PLACES = {
    "alone": lambda attack: attack,
    "among the settings": lambda attack: parts() | {"settings": {"data": attack}},
    "in the place of a tensor": lambda attack: parts() | {"state_dict": {"layers.a": attack}},
    "as a key": lambda attack: {attack: 1},
}


def parts(model=MODELS[0]):
    return {
        "class_name": type(model).__name__,
        "arguments": model.arguments,
        "state_dict": dict(model.state_dict()),
        "settings": {"data": "circles", "samples": 20},
    }


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("name", attacks(""))
def test_no_code_of_a_file_is_run(tmp_path, place, name):
    target, path = tmp_path / "created", tmp_path / "model.pth"
    content = place(attacks(str(target))[name])
    for protocol in (2, 4):
        for new_format in (True, False):
            torch.save(
                content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=new_format
            )
            assert not load(path)
        path.write_bytes(pickle.dumps(content, protocol))
        assert not load(path)
    assert os.listdir(tmp_path) == ["model.pth"]


# Files that are too small for what they say


def rewritten(path, change):
    """Return the file's records, each put through a function of its name and its content."""
    file = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return file.getvalue()


WIDE = {"hidden_units": (10_000,) * 100}


@pytest.mark.parametrize("arguments", [WIDE, {"in_features": 10_000}, {"out_features": 10_000}])
def test_giant_arguments_take_no_memory(tmp_path, arguments):
    path = tmp_path / "model.pth"
    content = parts(MODELS[1])
    with torch.device("meta"):
        shapes = CircleModelV2(**content["arguments"] | arguments).state_dict()
    tensors = {
        "as they were": content["state_dict"],
        "one number, expanded": {
            name: torch.zeros(1).expand(t.shape) for name, t in shapes.items()
        },
        "without numbers": dict(shapes),
        "none": {},
    }
    content["arguments"] = content["arguments"] | arguments
    for state in tensors.values():
        torch.save(content | {"state_dict": state}, path)
        assert path.stat().st_size < 10**6
        tracemalloc.start()
        assert not load(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * 10**7
        tracemalloc.stop()


def test_a_tensor_that_says_more_than_its_record_holds_is_refused(tmp_path):
    path = tmp_path / "model.pth"
    save_model(MODELS[0], path)
    small, giant = b"K\x03K\x02\x86", b"J\x00\x00\x00\x40K\x02\x86"  # shapes (3, 2), (2**30, 2)

    def change(name, content):
        assert not name.endswith("data.pkl") or small in content
        return content.replace(small, giant) if name.endswith("data.pkl") else content

    path.write_bytes(rewritten(path, change))
    assert not load(path)


def test_compressed_records_are_refused(tmp_path):
    path = tmp_path / "model.pth"
    save_model(MODELS[0], path)
    file = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("archive/data/99", bytes(10**8))
    path.write_bytes(file.getvalue())
    assert path.stat().st_size < 200_000
    tracemalloc.start()
    assert not load(path)
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()


def test_records_that_lie_on_each_other_are_refused(tmp_path):
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data/0", bytes(10**6))
        (entry,) = file.infolist()
        for number in range(1, 50):
            twin = zipfile.ZipInfo(f"archive/data/{number}")
            twin.header_offset, twin.CRC = entry.header_offset, entry.CRC
            twin.file_size = twin.compress_size = entry.file_size
            file.filelist.append(twin)
    assert not load(path)


def test_values_that_fill_the_memory_when_they_are_shown_are_refused(tmp_path):
    path, bomb, deep, endless = tmp_path / "model.pth", ["x"], "x", []
    for _ in range(60):
        bomb = [bomb, bomb]  # 60 lists, and 2**60 strings to show
    for _ in range(200):
        deep = [deep]
    endless.append(endless)
    for value in (bomb, deep, endless, {"a": bomb}, (bomb,), torch.zeros(2), 10**1000, "x" * 10**6):
        for key in ("data", "noise", "samples"):
            torch.save(parts() | {"settings": {key: value}}, path)
            if load(path):
                assert type(value) is str
            torch.save(parts() | {"arguments": MODELS[0].arguments | {key: value}}, path)
            assert not load(path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_kind_are_used_if_they_all_are(tmp_path, kind):
    path, content = tmp_path / "model.pth", parts(MODELS[2])
    cast = {n: t.to(kind) if t.is_floating_point() else t for n, t in content["state_dict"].items()}
    torch.save(content | {"state_dict": cast}, path)
    assert load(path)
    for name, tensor in content["state_dict"].items():
        other = tensor.to(kind if tensor.is_floating_point() else torch.int32)
        torch.save(content | {"state_dict": content["state_dict"] | {name: other}}, path)
        assert not load(path)


def test_weights_that_are_a_view_are_saved_as_what_they_show(tmp_path):
    model = CircleModelV0(hidden_units=3)
    for parameter in model.parameters():
        wide = torch.zeros(2, *parameter.shape[::-1])
        wide[1] = parameter.detach().T if parameter.ndim == 2 else parameter.detach()
        parameter.data = wide[1].T if parameter.ndim == 2 else wide[1]
    save_model(model, tmp_path / "model.pth")
    loaded, _ = load_checkpoint(tmp_path / "model.pth")
    x = torch.randn(5, 2)
    torch.testing.assert_close(loaded(x), model(x))


# Files that were damaged


def damaged(random, files):
    """Return one of the files with some bytes flipped, cut off, swapped, added or moved."""
    content = bytearray(random.choice(files))
    kind = random.choice(["bits", "bits", "bytes", "cut", "swap", "insert", "zeros", "words"])
    if kind == "bits":
        for _ in range(random.choice([1, 1, 2, 8])):
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    elif kind == "bytes":
        start = random.randrange(len(content))
        content[start : start + 4] = random.randbytes(4)
    elif kind == "cut":
        del content[random.randrange(len(content)) :]
    elif kind == "swap":
        a, b, size = random.randrange(len(content)), random.randrange(len(content)), 64
        content[a : a + size], content[b : b + size] = content[b : b + size], content[a : a + size]
    elif kind == "insert":
        at = random.randrange(len(content))
        content[at:at] = random.randbytes(random.randrange(1, 50))
    elif kind == "zeros":
        at = random.randrange(len(content))
        content[at : at + 100] = bytes(len(content[at : at + 100]))
    else:  # a size or an offset becomes huge or negative
        at = random.randrange(len(content) - 8)
        value = random.choice([0, -1, 2**31 - 1, 2**31, 2**63 - 1, 2**40])
        content[at : at + 8] = struct.pack("<Q", value % 2**64)
    return bytes(content)


def damaged_pickle(random, path):
    """Return the file with a change in its pickle, whose check sum is right nevertheless."""

    def change(name, content):
        return damaged(random, [content]) if name.endswith("data.pkl") else content

    return rewritten(path, change)


def other_value(random):
    return random.choice(
        [
            *(None, True, 0, 1, -1, 3, 2**31, 2**63, 10**30, 1.5, float("nan"), float("inf"), ""),
            *(
                "relu",
                "CircleModelV0",
                "a\nb",
                "\ud800",
                "\0",
                [],
                {},
                (),
                [1] * 1000,
                ((1,), (1,)),
            ),
            *(torch.zeros(2), torch.zeros(3, 2), torch.zeros(0), torch.zeros(3, dtype=torch.int64)),
            *(torch.zeros(3, dtype=torch.float64), torch.zeros(1).expand(10**4, 10**4)),
            *(
                ((1,), (1,)),
                torch.zeros(2, 3).T,
                torch.full((3, 2), float("nan")),
                OrderedDict(),
                {1: 2},
            ),
        ]
    )


def with_other_entries(random):
    """Return a good file's content with some entries changed, swapped, dropped or added."""
    content = parts(random.choice(MODELS))
    content = {k: dict(v) if isinstance(v, dict) else v for k, v in content.items()}
    for _ in range(random.choice([1, 1, 2, 3])):
        inside = [c for c in (content, *content.values()) if isinstance(c, dict)]
        entries = random.choice(inside)
        keys = list(entries)
        kind = random.choice(["change", "change", "change", "swap", "drop", "add"])
        if not keys or kind == "add":
            entries[random.choice(["layers.x", 1, None, "", "depth", (1, 2)])] = other_value(random)
        elif kind == "change":
            entries[random.choice(keys)] = other_value(random)
        elif kind == "drop":
            del entries[random.choice(keys)]
        else:
            a, b = random.choice(keys), random.choice(keys)
            entries[a], entries[b] = entries[b], entries[a]
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.mark.slow
def test_three_thousand_damaged_models_load_or_are_refused(tmp_path):
    chance, files = random.Random(0), []
    good, path = tmp_path / "good.pth", tmp_path / "damaged.pth"
    for model in MODELS:
        save_model(model, good, {"data": "circles", "samples": 20})
        files.append(good.read_bytes())
    valid = {"bytes": 0, "pickle": 0, "entries": 0}
    for number in range(3000):
        kind = ("bytes", "pickle", "entries")[number % 3]
        if kind == "bytes":
            content = damaged(chance, files)
        elif kind == "pickle":
            content = damaged_pickle(chance, good)
        else:
            content = with_other_entries(chance)
        path.write_bytes(content)
        valid[kind] += load(path)
    assert 10 < valid["bytes"] < 500  # where the change is in padding
    assert 10 < valid["pickle"] < 500
    assert 10 < valid["entries"] < 500
    assert sorted(os.listdir(tmp_path)) == ["damaged.pth", "good.pth"]


OTHER_KINDS = {
    "empty": b"",
    "text": b"epoch,loss\n1,0.7\n",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(1000),
    "archive": b"PK\x05\x06" + bytes(18),
    "gzip": b"\x1f\x8b\x08" + bytes(100),
    "elf": b"\x7fELF" + bytes(1000),
    "numpy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'shape': (99999999999,)}",
    "long memo": b"\x80\x02}r\xff\xff\xff\x7f.",
    "zeros": bytes(10**6),
}


@pytest.mark.parametrize("content", OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_files_of_other_kinds_are_refused(tmp_path, content):
    (tmp_path / "model.pth").write_bytes(content)
    assert not load(tmp_path / "model.pth")
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as file:
        file.writestr("archive/data.pkl", content)
    assert not load(tmp_path / "model.pth")


# The command lines


def refused(main, *arguments, capsys):
    """Return the one sentence with which a command line ends with status 2, or None at success."""
    capsys.readouterr()
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as stop:
        status = stop.code
    else:
        return None
    errors = capsys.readouterr().err
    assert status == 2
    assert errors.count("\n") == 1
    assert len(errors) < 1000
    return errors


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"data": "/etc/passwd"}, "data must be one of circles"),
        ({"data": "none.csv"}, "none.csv can't be read"),
        ({"data": "\0.csv"}, "data must be"),
        ({"data": "a\nb.csv"}, "data must be"),
        ({"data": "\ud800.csv"}, "data must be"),
        ({"data": "x" * 10**5 + ".csv"}, "data must be"),
        ({"data": "x" * 300 + ".csv"}, "can't be read: File name too long"),
        ({"processes": 3, "noise": -1.0}, "noise must be"),
        ({"data": ["circles"]}, "data must be"),
        ({"data": None}, "data must be"),
        ({"samples": 10**8}, "must hold a model of at most"),
        ({"samples": 10**30}, "samples must be"),
        ({"samples": "many"}, "samples must be"),
        ({"samples": 1.5}, "samples must be"),
        ({"noise": float("nan")}, "noise must be"),
        ({"noise": "x" * 10**5}, "noise must be"),
        ({"noise": [[[]]]}, "noise must be"),
        ({"data": "blobs", "classes": 10**9}, "classes must be"),
        ({"data": "moons", "factor": 0.5}, "factor is no setting of moons"),
        ({"test_size": 1e-300}, "test_size must leave"),
        ({"seed": -1}, "seed must be"),
        ({"features": 3}, "features is no setting of circles"),
        ({"data": "x.csv", "features": 3}, "features must be"),
        ({"data": "blobs", "classes": 5}, "must"),
    ],
)
def test_hostile_settings_of_a_model_are_one_sentence(tmp_path, capsys, settings, words):
    path = tmp_path / "model.pth"
    save_model(CircleModelV2(hidden_units=2), path, settings)
    tracemalloc.start()
    assert words in refused(saved_models.main, path, capsys=capsys)
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**7
    tracemalloc.stop()
    assert os.listdir(tmp_path) == ["model.pth"]


@pytest.mark.slow
def test_damaged_checkpoints_of_a_run_are_one_sentence(tmp_path, capsys, monkeypatch, stop_after):
    out, chance = tmp_path / "out", random.Random(0)
    arguments = ["--samples", "20", "--epochs", "3", "--hidden-units", "2", "--batch-size", "8"]
    arguments += ["--device", "cpu", "--checkpoint-every", "1"]
    stop_after(9)
    with pytest.raises(SystemExit):
        command_line.main([*arguments, "--out", str(out)])
    files = {path: path.read_bytes() for path in (out / "checkpoint").iterdir()}
    assert sorted(path.name for path in files) == ["run.pth", "trained-0000.pth"]
    # The results aren't of interest here, and take time.
    monkeypatch.setattr(lab.run, "save_figure", lambda *_: None)
    monkeypatch.setattr(lab.run, "plot_boundaries", lambda *_: None)
    monkeypatch.setattr(lab.run, "plot_losses", lambda *_: None)
    ends = 0
    for number in range(1000):
        (out / "checkpoint").mkdir(exist_ok=True)
        for path, content in files.items():
            path.write_bytes(content)
        path = chance.choice(list(files))
        content = damaged(chance, [files[path]]) if number % 2 else damaged_pickle(chance, path)
        path.write_bytes(content)
        ends += refused(command_line.main, "--resume", "--out", out, capsys=capsys) is None
    assert 20 < ends < 500
