"""Files of tensors and plain values, in the format of safetensors: nothing in them can act.

A file is a header in JSON, which names the tensors, and their raw numbers. What is no tensor is one
entry of the header, "json", in JSON again; so are numbers that aren't finite, in Python's way.
"""

import json
import os

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save

from support.files import check_regular_file, write_atomically
from support.memory import lacks_memory
from support.text import shortened

MAX_HEADER = 10**7  # bytes; the memory that a header takes is some ten times as much
MAX_DEPTH = 20  # of lists and dicts in each other
PICKLES = (b"PK\x03\x04", b"\x80\x02\x8a")  # the beginnings of what torch.save writes


class CheckpointError(ValueError):
    """The one error of reading a saved model or run: the file is missing, damaged or not one."""


def write_tensors(path, tensors: dict[str, torch.Tensor], **plain) -> None:
    """Write tensors and plain values to `path`, all or nothing.

    Plain are None, text, numbers (NumPy's, too), and lists and dicts of them with text as keys;
    tuples are read back as lists.
    """
    copies = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    content = save(copies, metadata={"json": json.dumps(plain, default=np.generic.item)})
    _check_header(content[:8])
    write_atomically(path, content)


def read_tensors(path) -> tuple[dict[str, torch.Tensor], dict]:
    """Return the tensors, on the CPU, and the plain values that `path` holds.

    Raises a CheckpointError if the file can't be read or isn't one of `write_tensors`, and a
    MemoryError if it needs more memory than there is.
    """
    name, start = shortened(str(path)), b""
    try:
        check_regular_file(path)
        os.fspath(path).encode()  # or safe_open takes no such path
        with open(path, "rb") as file:
            _check_header(start := file.read(8))
        with safe_open(path, "pt") as file:
            plain = json.loads(file.metadata()["json"])
            # The file is mapped, not read: the copies stay as they are when it changes.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        if _depth(plain) > MAX_DEPTH or not isinstance(plain, dict):
            raise ValueError("the values are nested too deeply, or aren't named")
    except OSError as error:
        raise CheckpointError(f"{name} can't be read: {error.strerror or error}.") from error
    except UnicodeEncodeError as error:
        raise CheckpointError(f"{name} can't be read: its path isn't UTF-8.") from error
    except Exception as error:  # there are many ways to be damaged
        if lacks_memory(error):
            raise MemoryError(f"{name} needs more memory than there is.") from error
        kind = "damaged or not a saved model"
        if start.startswith(PICKLES):
            kind = "a file of torch.save, which could run code; only those of save_model are read"
        raise CheckpointError(f"{name} is {kind}.") from error
    return tensors, plain


def write_state(path, state: dict) -> None:
    """Write nested dicts and lists of tensors and plain values; the keys are text without `/`."""
    tensors, plain = _flatten(state)
    write_tensors(path, tensors, **plain)


def read_state(path) -> dict:
    """Return what `write_state` has written; raises the errors of `read_tensors`."""
    tensors, state = read_tensors(path)
    try:
        for name, tensor in tensors.items():
            *outer, last = name.split("/")
            place = state
            for key in outer:
                place = place[_key(place, key)]
            place[_key(place, last)] = tensor
    except Exception as error:
        raise CheckpointError(f"{path} has tensors that are in no place.") from error
    return state


def _flatten(value, name=""):
    """Return the tensors in nested dicts and lists by name, and the rest with None in their place.

    A name is the way to the tensor, as `trained/0/model/layers.output.bias`.
    """
    if isinstance(value, torch.Tensor):
        return {name: value}, None
    if not isinstance(value, dict | list | tuple):
        return {}, value
    tensors, plain = {}, {}
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        more, plain[key] = _flatten(inner, f"{name}/{key}" if name else str(key))
        tensors |= more
    return tensors, plain if isinstance(value, dict) else list(plain.values())


def _key(place, key):
    return int(key) if isinstance(place, list) else key


def _depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _check_header(start):
    """Raise a ValueError if the first eight bytes of a file tell of a header that is too large."""
    if int.from_bytes(start, "little") > MAX_HEADER:
        raise ValueError(f"the names and plain values must take at most {MAX_HEADER:,} bytes")
