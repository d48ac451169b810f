"""The error numbers of FAM, as the original Python module showed them.

Which failure of the client has which number is decided here; what was being done is
said by the caller.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from gamin.errors import GaminError, InvalidPath
from gamin.protocol.gam.client import TooManyRequests, UnknownNumber

GAM_OK = 0
GAM_ARG = 1
GAM_FILE = 2
GAM_CONNECT = 3
GAM_AUTH = 4
GAM_MEM = 5
GAM_UNIMPLEM = 6
GAM_INTR = 7

_MESSAGES = {
    GAM_ARG: "bad argument",
    GAM_FILE: "bad file name",
    GAM_CONNECT: "no connection to the server",
    GAM_AUTH: "authentication failed",
    GAM_MEM: "out of memory or of request numbers",
    GAM_UNIMPLEM: "not implemented",
    GAM_INTR: "interrupted system call",
}

# The interface has this as a variable of the C library, FAMErrno: one for all, set by
# each failure and never reset. It is the only state of this package outside objects.
_errno = GAM_OK


def GaminErrno() -> int:  # noqa: N802  # the name of 2005
    """The number of the last failure, GAM_OK if there was none."""
    return _errno


def GaminErrmsg(err: int | None = None) -> str:  # noqa: N802  # the name of 2005
    """A text for `err`, by default for the last failure."""
    return _MESSAGES.get(_errno if err is None else err, "")


class GaminException(GaminError):
    """Something failed; `errno` is one of the GAM_ numbers."""

    def __init__(self, value: str, errno: int | None = None) -> None:
        super().__init__(value, errno)
        self.value = value
        self.errno: int = _errno if errno is None else errno

    def __str__(self) -> str:
        message = GaminErrmsg(self.errno)
        return f"{self.value}: {message}" if message else self.value


@contextmanager
def failures_of(what: str) -> Iterator[None]:
    """Give every failure of the client the form it had in the original."""
    try:
        yield
    except InvalidPath as error:
        raise failure(f"Failed to {what}", GAM_FILE) from error
    except UnknownNumber as error:
        raise failure(f"Failed to {what}", GAM_ARG) from error
    except TooManyRequests as error:
        raise failure(f"Failed to {what}", GAM_MEM) from error
    except (GaminError, OSError) as error:
        raise failure(f"Failed to {what}", GAM_CONNECT) from error


def failure(value: str, errno: int) -> GaminException:
    global _errno
    _errno = errno
    return GaminException(value, errno)
