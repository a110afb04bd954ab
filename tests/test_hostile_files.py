"""Files that were damaged or made to do harm: a valid model or one error, and nothing else."""

import json
import os
import pickle
import random
import socket
import struct
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import lab.run
from lab import command_line, saved_models
from model import CheckpointError, CircleModelV0, CircleModelV2, load_checkpoint, save_model
from support import tensor_files
from support.csv_file import read_csv
from support.tensor_files import MAX_HEADER, read_state, read_tensors, write_state, write_tensors

ROOT = Path(__file__).parent.parent
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
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())
    assert isinstance(settings, dict)
    return True


def parts(model=MODELS[0]):
    """Return a model's tensors, and what stands beside them in its file."""
    settings = {"data": "circles", "samples": 20}
    plain = {"class_name": type(model).__name__, "arguments": model.arguments, "settings": settings}
    return dict(model.state_dict()), plain


def write(path, tensors, plain):
    save_file(tensors, path, {"json": plain if isinstance(plain, str) else json.dumps(plain)})


# Files that act


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_no_code_of_a_file_is_run(tmp_path):
    target, path = tmp_path / "created", tmp_path / "model.safetensors"
    deep = ()
    for _ in range(10**5):
        deep = (deep,)  # hashing this recurses until the stack is full
    for attack in (
        Call(open, str(target), "w"),
        Call(os.system, f"touch {target}"),
        Call(exec, f"open({str(target)!r}, 'w')"),
        Call(bytearray, 10**10),
        Call(torch.load, str(target)),
    ):
        for content in (attack, {"layers.output.bias": attack}, {attack: 1}):
            for new_format in (True, False):
                torch.save(content, path, _use_new_zipfile_serialization=new_format)
                assert not load(path)
            path.write_bytes(pickle.dumps(content))
            assert not load(path)
    path.write_bytes(b"\x80\x02}" + b")" + b"\x85" * 10**6 + b"K\x01s.")  # the same as a key
    assert not load(path)
    assert os.listdir(tmp_path) == ["model.safetensors"]


# Headers that lie


def raw(header, numbers=b"", size=None):
    """Return the bytes of a file with this header, which may say anything."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + numbers


def tensor(start, end, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


META = {"__metadata__": {"json": json.dumps(parts()[1])}}
HEADERS = {
    "nothing": b"",
    "no header": raw(b""),
    "a header beyond the end": raw(META, size=10**6),
    "a giant header": raw(META, size=2**63),
    "a negative header": raw(META, size=2**64 - 1),
    "a header above the bound": raw(json.dumps(META).encode() + b" " * MAX_HEADER),
    "a list": raw([META]),
    "text that isn't UTF-8": raw(b'{"\xff": 1}'),
    "half a header": raw(json.dumps(META).encode()[:-1]),
    "numbers without names": raw(META, bytes(100)),
    "a tensor beyond the end": raw(META | {"a": tensor(0, 40, [10])}, bytes(39)),
    "a tensor that ends before it begins": raw(META | {"a": tensor(40, 0, [10])}, bytes(40)),
    "a negative size": raw(META | {"a": tensor(0, 40, [-10])}, bytes(40)),
    "a shape too large": raw(META | {"a": tensor(0, 40, [2**30, 2**30])}, bytes(40)),
    "a shape that overflows": raw(META | {"a": tensor(0, 0, [2**32, 2**32])}),
    "a shape of a million sizes": raw(META | {"a": tensor(0, 4, [1] * 10**6)}, bytes(4)),
    "a fractional shape": raw(META | {"a": tensor(0, 40, [2.5, 4])}, bytes(40)),
    "tensors on each other": raw(
        META | {"a": tensor(0, 40, [10]), "b": tensor(0, 40, [10])}, bytes(40)
    ),
    "a hole": raw(META | {"a": tensor(4, 8, [1])}, bytes(8)),
    "an unknown kind": raw(META | {"a": tensor(0, 40, [10], "F33")}, bytes(40)),
    "half-bytes": raw(META | {"a": tensor(0, 2, [4], "F4")}, bytes(2)),
    "one name twice": raw(
        json.dumps(META)[:-1].encode()
        + b""", "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}"""
        + b""", "a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}""",
        bytes(8),
    ),
    "a header nested deeply": raw(b'{"a":' * 10**5 + b"1" + b"}" * 10**5),
    "metadata of numbers": raw({"__metadata__": {"json": 1}}),
    "metadata nested": raw({"__metadata__": {"json": {"class_name": "CircleModelV0"}}}),
    "no metadata": raw({"a": tensor(0, 0, [0])}),
    "other metadata": raw({"__metadata__": {"format": "pt"}}),
    "values nested deeply": raw({"__metadata__": {"json": "[" * 10**6}}),
    "values nested less deeply": raw({"__metadata__": {"json": '{"a":' * 30 + "1" + "}" * 30}}),
    "values without names": raw({"__metadata__": {"json": "[1, 2]"}}),
    "a number of a million digits": raw({"__metadata__": {"json": '{"a": ' + "9" * 10**6 + "}"}}),
    "no values": raw({"__metadata__": {"json": ""}}),
}


@pytest.mark.parametrize("content", HEADERS.values(), ids=HEADERS)
def test_a_header_that_lies_is_one_error(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert not load(path)
    for read in (read_tensors, read_state):
        with suppress(CheckpointError):  # some are fine, but for not being a model
            read(path)
    assert os.listdir(tmp_path) == ["model.safetensors"]


@pytest.mark.slow
def test_a_small_file_takes_little_memory(tmp_path):
    path = tmp_path / "model.safetensors"
    many = {str(number): tensor(0, 0, [0]) for number in range(MAX_HEADER // 70)}
    for header in (
        META | many,
        {"__metadata__": {"json": json.dumps({"a": [[]] * (MAX_HEADER // 5)})}},
    ):
        path.write_bytes(raw(header))
        assert path.stat().st_size > MAX_HEADER / 2
        assert taken_by_loading(path) < 60 * MAX_HEADER


def taken_by_loading(path):
    """Return the bytes by which a process grows at most that loads a file."""
    code = (
        "import resource, sys, model\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\n"
        "try: model.load_model(sys.argv[1])\n"
        "except model.CheckpointError: print(peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return 1024 * int(done.stdout)


@pytest.mark.slow
def test_a_model_that_is_larger_than_memory_is_not_called_damaged(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(CircleModelV0(hidden_units=(4000, 4000)), path)
    code = (
        "import resource, sys\n"
        "from lab import saved_models\n"
        "size = 100 * 2**20 + 1024 * int(open('/proc/self/statm').read().split()[0]) * 4\n"
        "resource.setrlimit(resource.RLIMIT_AS, (size, size))\n"
        "saved_models.main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 2
    assert done.stderr == "-c: error: there is not enough memory; try a smaller setting.\n"


def test_a_header_is_read_up_to_its_bound(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_model(MODELS[0], path)
    length = int.from_bytes(path.read_bytes()[:8], "little")
    monkeypatch.setattr(tensor_files, "MAX_HEADER", length)
    assert load(path)
    monkeypatch.setattr(tensor_files, "MAX_HEADER", length - 1)
    assert not load(path)


def test_what_could_not_be_read_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="at most 10,000,000 bytes"):
        save_model(MODELS[0], tmp_path / "model.safetensors", {"note": "x" * MAX_HEADER})
    with pytest.raises(TypeError):
        save_model(MODELS[0], tmp_path / "model.safetensors", {"note": {1, 2}})
    assert os.listdir(tmp_path) == []


# What is in no file


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)


NOT_FILES = {
    "a pipe": os.mkfifo,
    "a directory": os.mkdir,
    "a link to a pipe": lambda path: (os.mkfifo(f"{path}.pipe"), os.symlink(f"{path}.pipe", path)),
    "an endless device": lambda path: os.symlink("/dev/zero", path),
    "a terminal": lambda path: os.symlink("/dev/tty", path),
    "a socket": make_socket,
}


@pytest.mark.parametrize("make", NOT_FILES.values(), ids=NOT_FILES)
def test_what_is_no_file_is_refused_at_once(tmp_path, monkeypatch, capsys, make):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    make("model.safetensors")
    assert not load("model.safetensors")
    errors = refused(saved_models.main, "model.safetensors", capsys=capsys)
    assert errors.endswith(
        "model.safetensors can't be read: it is a directory, a pipe or a device.\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_file_of_the_system_is_refused_at_once(tmp_path):
    for path in (tmp_path / "model.safetensors", tmp_path / "table.csv"):
        path.symlink_to("/proc/kmsg")  # a file of size 0, to read which waits for ever
    with pytest.raises(CheckpointError, match="can't be read: it is empty"):
        load_checkpoint(tmp_path / "model.safetensors")
    with pytest.raises(OSError, match="can't be read: it is empty"):
        read_csv(str(tmp_path / "table.csv"))


def test_a_link_to_a_model_is_followed(tmp_path):
    save_model(MODELS[0], tmp_path / "model.safetensors")
    (tmp_path / "link").symlink_to("model.safetensors")
    assert load(tmp_path / "link")


@pytest.mark.parametrize("name", ["a b'\"$%.safetensors", "\u2713", "model.pth"])
def test_a_file_may_have_any_name(tmp_path, name):
    save_model(MODELS[0], tmp_path / name)
    assert load(tmp_path / name)


def test_but_the_name_must_be_text(tmp_path):
    save_model(MODELS[0], tmp_path / "m\udcff")
    with pytest.raises(CheckpointError, match="can't be read: its path isn't UTF-8"):
        load_checkpoint(tmp_path / "m\udcff")


# Files that are too small for what they say

WIDE = {"hidden_units": (10_000,) * 100}


@pytest.mark.parametrize("arguments", [WIDE, {"in_features": 10_000}, {"out_features": 10_000}])
def test_giant_arguments_take_no_memory(tmp_path, arguments):
    path, (tensors, plain) = tmp_path / "model.safetensors", parts(MODELS[1])
    with torch.device("meta"):
        shapes = CircleModelV2(**plain["arguments"] | arguments).state_dict()
    plain["arguments"] = plain["arguments"] | arguments
    for state in (tensors, {name: torch.zeros(0) for name in shapes}, {}):
        write(path, state, plain)
        assert path.stat().st_size < 10**6
        tracemalloc.start()
        assert not load(path)
        assert tracemalloc.get_traced_memory()[1] < 2 * 10**7
        tracemalloc.stop()


def test_values_that_are_no_models_are_refused(tmp_path):
    path, (tensors, plain) = tmp_path / "model.safetensors", parts()
    deep = "x"
    for _ in range(30):
        deep = [deep]
    for value in (deep, {"a": deep}, 10**1000, "x" * 10**6, None, [], {}, "", float("nan")):
        write(path, tensors, plain | {"settings": {"data": value}})
        assert load(path) == ("[[" not in str(value))  # what it says matters when it is used
        for arguments in ({"hidden_units": value}, {"depth": value}):
            write(path, tensors, plain | {"arguments": MODELS[0].arguments | arguments})
            assert not load(path)
        for key in ("class_name", "arguments"):
            write(path, tensors, plain | {key: value})
            assert not load(path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_kind_are_used_if_they_all_are(tmp_path, kind):
    path, (tensors, plain) = tmp_path / "model.safetensors", parts(MODELS[2])
    write(path, {n: t.to(kind) if t.is_floating_point() else t for n, t in tensors.items()}, plain)
    assert load(path)
    for name, values in tensors.items():
        other = values.to(kind if values.is_floating_point() else torch.int32)
        write(path, tensors | {name: other}, plain)
        assert not load(path)


@pytest.mark.parametrize(
    "kind", [torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64, torch.int64, torch.bool]
)
def test_weights_that_no_layer_takes_are_refused(tmp_path, kind):
    path = tmp_path / "model.safetensors"
    for model in MODELS:
        tensors, plain = parts(model)
        changed = {n: t.to(kind) if t.is_floating_point() else t for n, t in tensors.items()}
        write(path, changed, plain)
        assert not load(path)


def test_weights_that_are_a_view_are_saved_as_what_they_show(tmp_path):
    model = CircleModelV0(hidden_units=3)
    for parameter in model.parameters():
        wide = torch.zeros(2, *parameter.shape[::-1])
        wide[1] = parameter.detach().T if parameter.ndim == 2 else parameter.detach()
        parameter.data = wide[1].T if parameter.ndim == 2 else wide[1]
    save_model(model, tmp_path / "model.safetensors")
    loaded, _ = load_checkpoint(tmp_path / "model.safetensors")
    x = torch.randn(5, 2)
    torch.testing.assert_close(loaded(x), model(x))


def test_a_loaded_model_does_not_change_with_its_file(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(MODELS[0], path)
    loaded, _ = load_checkpoint(path)
    path.write_bytes(bytes(path.stat().st_size))
    assert torch.equal(loaded.layers.output.weight, MODELS[0].layers.output.weight)


# States


def test_a_state_comes_back_to_the_bit(tmp_path):
    state = {
        "epoch": 3,
        "loss": [0.1, float("inf"), -float("inf"), 1e-320],
        "none": None,
        "text": "\u2713 \ud800 \0",
        "empty": {"list": [], "dict": {}, "tensor": torch.zeros(0, 3)},
        "models": [{"layers.weight": torch.randn(3, 2).T}, {"step": torch.tensor(2**62)}],
        "random": torch.get_rng_state(),
        "history": torch.tensor([0.1, float("nan")], dtype=torch.float64),
    }
    write_state(tmp_path / "state", state)
    back = read_state(tmp_path / "state")
    assert repr(back) == repr(state)
    assert torch.equal(back["random"], state["random"])
    assert torch.equal(back["models"][0]["layers.weight"], state["models"][0]["layers.weight"])
    write_tensors(tmp_path / "state", {}, loss=float("nan"), pair=(1, 2))
    tensors, plain = read_tensors(tmp_path / "state")
    assert tensors == {}
    assert repr(plain) == "{'loss': nan, 'pair': [1, 2]}"


@pytest.mark.parametrize("name", ["a/b", "list/1", "list/x", "list/0/0", "number/0", "/", "a/"])
def test_a_tensor_without_a_place_is_refused(tmp_path, name):
    write_tensors(tmp_path / "state", {name: torch.zeros(1)}, list=[0], number=1)
    with pytest.raises(CheckpointError, match="has tensors that are in no place"):
        read_state(tmp_path / "state")


# Files that were damaged


def damaged(random, content):
    """Return a file's content with some bytes flipped, cut off, swapped, added or moved."""
    content = bytearray(content)
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
        at = random.choice([0, random.randrange(len(content) - 8)])
        value = random.choice([0, -1, 2**31 - 1, 2**31, 2**63 - 1, 2**40])
        content[at : at + 8] = struct.pack("<Q", value % 2**64)
    return bytes(content)


VALUES = [
    *(None, True, 0, 1, -1, 3, 2**31, 2**63, 10**30, 1.5, float("nan"), float("inf"), ""),
    *("relu", "CircleModelV0", "a\nb", "\ud800", "\0", "F64", "I64", "F8_E4M3", "BOOL", "C64"),
    *([], {}, [1] * 1000, [[1], [1]], [3, 2], [0, 24], [2**40], {"1": 2}),
]


def with_other_header(random, content):
    """Return a file with some of its header's values changed, swapped, dropped or added."""
    size = int.from_bytes(content[:8], "little")
    header, numbers = json.loads(content[8 : 8 + size]), content[8 + size :]
    plain = json.loads(header["__metadata__"]["json"])
    for _ in range(random.choice([1, 1, 2, 3])):
        root = random.choice([header, plain])
        entries = random.choice([e for e in _containers(root) if e] or [{"": 0}])
        keys = list(entries) if isinstance(entries, dict) else list(range(len(entries)))
        a, b = random.choice(keys), random.choice(keys)
        kind = random.choice(["change", "change", "change", "swap", "drop", "add"])
        if kind == "change":
            entries[a] = random.choice(VALUES)
        elif kind == "swap":
            entries[a], entries[b] = entries[b], entries[a]
        elif kind == "drop":
            del entries[a]
        elif isinstance(entries, dict):
            entries[random.choice(["layers.x", "", "depth", "a/0"])] = random.choice(VALUES)
        else:
            entries.append(random.choice(VALUES))
        if isinstance(header.get("__metadata__"), dict) and root is plain:
            header["__metadata__"]["json"] = json.dumps(plain)
    return raw(header, numbers)


def _containers(value):
    """Yield a nested value's dicts and lists."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner)


def with_other_numbers(random, content):
    """Return a file with the same header and some numbers that are huge, negative or none."""
    start = 8 + int.from_bytes(content[:8], "little")
    numbers = bytearray(content[start:])
    for _ in range(random.choice([1, 2, 8])):
        at = 4 * random.randrange(len(numbers) // 4)
        value = random.choice([float("nan"), float("inf"), -1.0, 0.0, 3e38, 1e-45, 1e6])
        numbers[at : at + 4] = struct.pack("<f", value)
    return content[:start] + numbers


DAMAGE = {"bytes": damaged, "header": with_other_header, "numbers": with_other_numbers}


def damage_models(path, count):
    """Load so many damaged models; return for each kind of damage how many could still be used."""
    chance, files, usable = random.Random(count), [], dict.fromkeys(DAMAGE, 0)
    for model in MODELS:
        save_model(model, path, {"data": "circles", "samples": 20})
        files.append(path.read_bytes())
    for number in range(count):
        kind = list(DAMAGE)[number % len(DAMAGE)]
        path.write_bytes(DAMAGE[kind](chance, chance.choice(files)))
        usable[kind] += load(path)
    return usable


def test_damaged_models_load_or_are_refused(tmp_path):
    usable = damage_models(tmp_path / "model.safetensors", 600)
    assert all(3 < count < 180 for count in usable.values()), usable
    assert os.listdir(tmp_path) == ["model.safetensors"]


@pytest.mark.slow
def test_six_thousand_damaged_models_load_or_are_refused(tmp_path):
    usable = damage_models(tmp_path / "model.safetensors", 6000)
    assert all(30 < count < 1800 for count in usable.values()), usable
    assert os.listdir(tmp_path) == ["model.safetensors"]


OTHER_KINDS = {
    "empty": b"",
    "text": b"epoch,loss\n1,0.7\n",
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(1000),
    "archive": b"PK\x05\x06" + bytes(18),
    "gzip": b"\x1f\x8b\x08" + bytes(100),
    "elf": b"\x7fELF" + bytes(1000),
    "numpy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'shape': (99999999999,)}",
    "pickle": b"\x80\x02}r\xff\xff\xff\x7f.",
    "zeros": bytes(10**6),
}


@pytest.mark.parametrize("content", OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_files_of_other_kinds_are_refused(tmp_path, content):
    (tmp_path / "model.safetensors").write_bytes(content)
    assert not load(tmp_path / "model.safetensors")


@pytest.mark.parametrize("new_format", [True, False])
def test_a_file_of_torch_save_is_told_from_a_damaged_one(tmp_path, new_format):
    state, path = MODELS[0].state_dict(), tmp_path / "model.pth"
    torch.save(state, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(CheckpointError, match=r"is a file of torch.save, .* only those"):
        load_checkpoint(path)


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
        ({"samples": 10**6 + 1}, "must hold a model of at most 1,000,000 points"),
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
    path = tmp_path / "model.safetensors"
    save_model(CircleModelV2(hidden_units=2), path, settings)
    tracemalloc.start()
    assert words in refused(saved_models.main, path, capsys=capsys)
    assert tracemalloc.get_traced_memory()[1] < 5 * 10**7
    tracemalloc.stop()
    assert os.listdir(tmp_path) == ["model.safetensors"]


@pytest.mark.slow
def test_damaged_checkpoints_of_a_run_are_one_sentence(tmp_path, capsys, monkeypatch, stop_after):
    out, chance = tmp_path / "out", random.Random(0)
    arguments = ["--samples", "20", "--epochs", "3", "--hidden-units", "2", "--batch-size", "8"]
    arguments += ["--device", "cpu", "--checkpoint-every", "1"]
    stop_after(14)  # in the second training
    with pytest.raises(SystemExit):
        command_line.main([*arguments, "--out", str(out)])
    files = {path: path.read_bytes() for path in sorted((out / "checkpoint").iterdir())}
    run, *trainings = files
    assert [path.name for path in trainings] == [f"training-000{i}.safetensors" for i in (0, 1)]
    # The results aren't of interest here, and take time.
    monkeypatch.setattr(lab.run, "save_figure", lambda *_: None)
    monkeypatch.setattr(lab.run, "plot_boundaries", lambda *_: None)
    monkeypatch.setattr(lab.run, "plot_losses", lambda *_: None)
    usable, harmful = dict.fromkeys(DAMAGE, 0), 0
    for number in range(1500):
        (out / "checkpoint").mkdir(exist_ok=True)
        for path, content in files.items():
            path.write_bytes(content)
        kind = list(DAMAGE)[number % len(DAMAGE)]
        path = chance.choice(trainings if kind == "numbers" else [run, *trainings])
        path.write_bytes(DAMAGE[kind](chance, files[path]))
        is_harmful = kind == "numbers" and not is_finite(read_state(path))
        is_usable = refused(command_line.main, "--resume", "--out", out, capsys=capsys) is None
        assert not (is_harmful and is_usable)
        usable[kind] += is_usable
        harmful += is_harmful
    # Most damage to a file is found. Most of its numbers are states of generators, any of which
    # can be, so there few are harmful.
    assert all(20 < usable[kind] < 300 for kind in ("bytes", "header")), usable
    assert 5 < harmful < 500 - usable["numbers"] + 1, (harmful, usable)


def is_finite(state):
    """Whether all numbers of a training's state are finite."""
    parts = (state["model"], state["history"], *state["optimizer"].values())
    return all(tensor.isfinite().all() for part in parts for tensor in part.values())
