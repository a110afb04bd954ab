"""Files in the format of torch.save that hold tensors and plain values, and nothing that acts.

Whatever a file holds, reading it runs no code from it, takes memory in proportion to its size, and
ends with plain values or with a `CheckpointError`.
"""

import io
import os
import pickletools
import zipfile

import numpy as np
import torch

from support.files import write_atomically

# What torch.save writes for tensors, dicts, lists, tuples, text and numbers; nothing else is let
# through to torch.load, which knows many more functions that a file may call.
STEPS = {
    *("PROTO", "STOP", "MARK", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "NONE"),
    *("NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS"),
    *("EMPTY_DICT", "SETITEM", "SETITEMS", "GLOBAL", "REDUCE", "BINPERSID"),
}
STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Byte")
GLOBALS = {
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    *(f"torch {kind}Storage" for kind in STORAGES),
}
PLAIN = (type(None), bool, int, float, str)
MAX_DEPTH = 20


class CheckpointError(ValueError):
    """The one error of reading a saved model or run: the file is missing, damaged or not one."""


def write_torch_file(path, content) -> None:
    """Write tensors and plain values to `path`, all or nothing."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getbuffer())


def read_torch_file(path):
    """Return the tensors (on the CPU) and plain values that `path` holds, or raise CheckpointError.

    The tensors are contiguous and fill their storages.
    """
    try:
        copy, pickle_size = _checked_copy(path)
        content = torch.load(copy, map_location="cpu", weights_only=True)
        for leaf in _leaves(content, limit=pickle_size):
            if isinstance(leaf, torch.Tensor):
                filled = leaf.numel() * leaf.element_size() == leaf.untyped_storage().nbytes()
                if not (filled and leaf.is_contiguous()):
                    raise ValueError("a tensor isn't what its storage holds")
            elif type(leaf) not in PLAIN:
                raise ValueError(f"a {type(leaf)} is no plain value")
    except OSError as error:
        raise CheckpointError(f"{path} can't be read: {error.strerror or error}.") from error
    except Exception as error:  # there are many ways to be damaged
        raise CheckpointError(f"{path} is damaged or not a saved model.") from error
    return content


def with_python_numbers(value):
    """Return a value with Python's own numbers in the place of NumPy's, which aren't read back."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: with_python_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_python_numbers(item) for item in value]
    return tuple(map(with_python_numbers, value)) if isinstance(value, tuple) else value


def is_plain(value) -> bool:
    """Whether a value that was read has no tensors in it."""
    return not any(isinstance(leaf, torch.Tensor) for leaf in _leaves(value))


def _checked_copy(path):
    """Return a copy of the file's records, for torch.load, and the size of its pickle."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as checked:
        entries = archive.infolist()
        if any(entry.compress_type or entry.file_size != entry.compress_size for entry in entries):
            raise ValueError("a record is compressed")
        if len({entry.filename for entry in entries}) < len(entries):
            raise ValueError("two records have one name")
        if sum(entry.file_size for entry in entries) > os.fstat(archive.fp.fileno()).st_size:
            raise ValueError("the records overlap")
        sizes = []
        for entry in entries:
            content = archive.read(entry)  # checks the record's sum
            checked.writestr(entry.filename, content)
            if entry.filename.endswith("data.pkl"):
                sizes.append(len(content))
                for step, argument, _ in pickletools.genops(content):
                    if step.name not in STEPS:
                        raise ValueError(f"the pickle has the step {step.name}")
                    if step.name == "GLOBAL" and argument not in GLOBALS:
                        raise ValueError(f"the pickle has the function {argument}")
    (pickle_size,) = sizes
    copy.seek(0)
    return copy, pickle_size


def _leaves(value, limit=float("inf")):
    """Yield what nested dicts, lists and tuples hold in the end.

    A file can hold one list in many places, and so say much more than it has bytes; `limit` is how
    many values, of all kinds, may be met.
    """
    values = [(value, 0)]
    while values:
        value, depth = values.pop()
        if isinstance(value, dict | list | tuple):
            inner = [*value.keys(), *value.values()] if isinstance(value, dict) else value
            limit -= len(inner)
            if limit < 0 or depth == MAX_DEPTH:
                raise ValueError("values are nested too deeply")
            values.extend((part, depth + 1) for part in inner)
        else:
            yield value
