"""The file that says which roots are watched for good, and their triggers.

In JSON, as Watchman's state file. A trigger is a command, so whoever can write the file
can run programs as its user: it is believed only if it is a regular file of one name
that belongs to the user, and that nobody else may write.
"""

import json
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, NamedTuple

import msgspec

from gamin.state.place import FILE_MODE, Unusable, make_place

MAX_BYTES = 16 << 20
"""Bytes of the file that are read; more cannot be right."""
MAX_WATCHES = 10_000
"""Roots that are read from the file."""
VERSION = 1
"""The version of the file's form."""

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class SavedWatch(msgspec.Struct, frozen=True):
    path: str
    """With surrogate escapes for what is not UTF-8."""
    triggers: list[dict[str, Any]] = []
    """Their definitions, as the clients gave them."""
    used: int = 0
    """When a client needed the root last, in seconds since 1970."""


class _Form(msgspec.Struct):
    watched: Annotated[list[SavedWatch], msgspec.Meta(max_length=MAX_WATCHES)]
    gamin: int = VERSION
    """The version of the form; a file of Watchman's own has none."""


class WatchFile(NamedTuple):
    path: bytes
    uid: int
    is_own_place: bool = True
    """Its directory is the one for the state of servers: it is made if there is none,
    and checked."""

    def read(self) -> list[SavedWatch]:
        """What was written last. Raises Unusable."""
        try:
            if self.is_own_place:
                make_place(os.path.dirname(self.path), self.uid, make=False)
            descriptor = os.open(self.path, _FLAGS)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error
        with open(descriptor, "rb") as file:
            self._check(os.fstat(descriptor))
            try:
                text = file.read(MAX_BYTES + 1)
            except OSError as error:
                raise self._unusable(error.strerror or str(error)) from error
        return self._parsed(text)

    def _parsed(self, text: bytes) -> list[SavedWatch]:
        if len(text) > MAX_BYTES:
            raise self._unusable(f"it has more than {MAX_BYTES} bytes")
        if not text:  # it was made, and nothing written yet
            return []
        try:
            form = msgspec.convert(json.loads(text), _Form)
        except (ValueError, RecursionError) as error:
            raise self._unusable(f"it makes no sense ({error})") from error
        if form.gamin != VERSION:
            raise self._unusable(f"it is of version {form.gamin}, not {VERSION}")
        return form.watched

    def write(self, watches: Sequence[SavedWatch]) -> None:
        """Replace the file, or remove it if there is nothing to say. Raises Unusable.

        At no moment there is half a file under the name.
        """
        new = self.path + b".%d" % os.getpid()
        try:
            if self.is_own_place:
                make_place(os.path.dirname(self.path), self.uid, make=bool(watches))
            if not watches:
                os.unlink(self.path)
                return
            form = {"gamin": VERSION, "watched": msgspec.to_builtins(watches)}
            text = json.dumps(form).encode()
            with suppress(FileNotFoundError):
                os.unlink(new)  # of a process that had our number
            with open(os.open(new, _NEW, FILE_MODE), "wb") as file:
                file.write(text)
            os.replace(new, self.path)
        except FileNotFoundError as error:
            if watches:
                raise self._unusable(str(error)) from error
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise self._unusable("it is not a regular file of one name")
        if status.st_uid != self.uid:
            raise self._unusable(f"it belongs to uid {status.st_uid}, not {self.uid}")
        if status.st_mode & 0o022:
            raise self._unusable("others may write it")

    def _unusable(self, reason: str) -> Unusable:
        return Unusable(f"{os.fsdecode(self.path)}: {reason}")
