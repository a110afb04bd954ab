"""Memory: keeping it between steps, for tensors of some megabytes, and running out of it."""

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h


def keep_freed_memory() -> None:
    """Ask the C library to keep freed blocks of up to 32 MB rather than return them to the system.

    By default each tensor above a size is fetched from the system and returned again in every
    step, and most of an ensemble's time goes to the first touch of new pages. Does nothing where
    the C library isn't glibc.
    """
    if platform.libc_ver()[0] == "glibc":
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, 32 * 2**20)
        mallopt(M_TRIM_THRESHOLD, 2**30)


def lacks_memory(error: Exception) -> bool:
    """Whether an error tells that there isn't enough memory, in Python's way or in PyTorch's."""
    of_torch = isinstance(error, RuntimeError) and "memory" in str(error)
    return of_torch or isinstance(error, MemoryError)
