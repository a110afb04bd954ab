"""Writing files so that a reader finds the old one or the new one, never half of one."""

import io
import os
import tempfile
from pathlib import Path


def write_atomically(path, data):
    """Write bytes to a temporary file beside `path` and rename it, so the change is all or none."""
    path = Path(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise OSError(f"{path} can't be written: {error.strerror or error}.") from error
        raise


def save_figure(figure, path, **options):
    """Write a matplotlib figure to `path`, all or nothing, in the format of the path's ending."""
    picture = io.BytesIO()
    figure.savefig(picture, format=Path(path).suffix.lower().removeprefix("."), **options)
    write_atomically(path, picture.getvalue())


def _umask():
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def prepare_directory(directory, file_names):
    """Make `directory` and check that the files can be written there; raise a clear OSError if not.

    Meant to be called before long work, so that its results have a place to go.
    """
    directory = Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise OSError(
            f"out must be a directory that can be written; got {str(directory)!r} "
            f"({error.strerror})."
        ) from error
    for name in file_names:
        if (directory / name).is_dir():
            raise OSError(
                f"out must have room for the file {name}; got {str(directory)!r}, "
                "where a directory has that name."
            )
