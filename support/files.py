"""Writing files so that a reader finds the old one or the new one, never half of one."""

import errno
import io
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from support.text import shown

PARTIAL = ".partial"  # ends the names of files that aren't complete yet
LOCK = ".lock"


def write_atomically(path, data):
    """Write bytes to a temporary file beside `path` and rename it, so the change is all or none.

    When the function returns, the disk has the file: a power cut doesn't undo it.
    """
    path = Path(path)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL
        )
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):
            raise OSError(f"{path} can't be written: {error.strerror or error}.") from error
        raise
    sync_directory(path.parent)


def check_regular_file(path):
    """Return a file's status; an OSError tells that there is nothing to read, without opening it.

    To open a pipe could wait for ever, and a device could have no end; so could the system's own
    files, as in /proc, which say that they are empty.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is a directory, a pipe or a device", path)
    if status.st_size == 0:
        raise OSError(errno.EINVAL, "it is empty", path)
    return status


def sync_directory(directory):
    """Have the disk remember which names the directory has, where the system can do that."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_partial_files(directory, file_names):
    """Remove what a process that was killed while it wrote one of the files has left behind."""
    for name in file_names:
        for path in Path(directory).glob(f".{name}.*{PARTIAL}"):
            with suppress(OSError):  # it is in nobody's way
                path.unlink()


@contextmanager
def locked(directory):
    """Keep a directory locked while the context is open, and no longer than the process lives.

    Raises an OSError if another process has locked it, or if another user's has left its lock. The
    lock is on an empty file, `.lock`, which a killed process leaves; the next one to lock the
    directory takes it over. On a file system without locks nothing is locked.
    """
    path = Path(directory) / LOCK
    lock = FileLock(path, blocking=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except (Timeout, PermissionError) as error:
        raise OSError(
            f"out must be a directory that no other run is using; got {shown(str(directory))}."
        ) from error
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):  # on Windows it can be removed by no one while it is open
            path.unlink()
        lock.release()


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
        os.fspath(directory).encode()  # a checkpoint couldn't be read again under another name
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except (OSError, ValueError) as error:  # of a name that has a zero or isn't UTF-8
        reason = getattr(error, "strerror", "no name of a directory")
        raise OSError(
            f"out must be a directory that can be written; got {shown(str(directory))} ({reason})."
        ) from error
    for name in file_names:
        if (directory / name).is_dir():
            raise OSError(
                f"out must have room for the file {name}; got {shown(str(directory))}, "
                "where a directory has that name."
            )
    with suppress(FileNotFoundError):
        lock = (directory / LOCK).lstat()
        if lock.st_size or not stat.S_ISREG(lock.st_mode):
            raise OSError(
                f"out must have room for the empty file {LOCK}; got {shown(str(directory))}, where "
                "something else has that name."
            )


def check_own_directory(directory, patterns):
    """Raise an OSError where `directory` is there, but isn't one in which files can be replaced.

    It may be no link, or what it leads to would be written and removed. patterns: of the files'
    names, which no directory may have.
    """
    directory = Path(directory)
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise OSError(
            f"out must have room for the directory {directory.name}; got "
            f"{shown(str(directory.parent))}, where a file or a link has that name."
        )
    for pattern in patterns:
        for path in directory.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                raise OSError(
                    f"out must have room for the file {directory.name}/{path.name}; got "
                    f"{shown(str(directory.parent))}, where a directory has that name."
                )
