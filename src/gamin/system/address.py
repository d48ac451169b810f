"""The addresses of a session's server, as the settings decide them.

Nothing is opened, created or checked here; `directory` and the two ends do that.
"""

import os
import pwd
import stat
import sys
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from gamin.errors import ServerError
from gamin.paths import printable
from gamin.system.namespace import ANY

SUN_PATH = 108  # bytes the kernel gives the name of a Unix socket
# libgamin copies this many bytes of the name and cuts the rest off silently, so
# that two long names could meet; we refuse them instead.
MAX_ABSTRACT_BYTES = 104
# A socket file is bound as /proc/self/fd/NUMBER/NAME, whatever the length of its
# directory: this leaves room for a descriptor of seven digits and a final NUL.
MAX_FILE_BYTES = SUN_PATH - 1 - len("/proc/self/fd/1048576/")


class InvalidSetting(ServerError):
    """A setting of the environment that cannot be followed."""

    def __init__(self, name: str, value: str, reason: str) -> None:
        super().__init__(name, value, reason)
        self.name = name
        self.value = value
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.name}={self.value!r}: {self.reason}"


class Transport(Enum):
    """What GAMIN_SOCKET chooses for programs that speak the original protocol."""

    AUTO = "auto"  # the abstract name, the directory when another user holds it
    ABSTRACT = "abstract"
    DIRECTORY = "directory"


class Address(NamedTuple):
    """Every place where one session of one user may be reached."""

    uid: int
    user: bytes
    session: bytes
    transport: Transport = Transport.AUTO
    base: bytes = b"/tmp"
    runtime: bytes | None = None  # the user's private directory, where there is one
    state: bytes | None = None  # a directory below the user's home
    any_mounts: bool = False  # client and server may be in different mount namespaces

    @property
    def abstract(self) -> bytes:
        """The abstract name as the kernel wants it.

        Padded, because libgamin always passes the whole sun_path and every byte
        counts in an abstract name.
        """
        return self._abstract_text().ljust(SUN_PATH, b"\0")

    @property
    def shown_abstract(self) -> str:
        """The abstract name as `ss` and /proc/net/unix write it."""
        return "@" + printable(self._abstract_text()[1:])

    @property
    def directory(self) -> bytes:
        return self.base + b"/fam-" + self.user

    @property
    def file(self) -> bytes:
        """The name of the socket in `directory`."""
        return b"fam-" + self.session

    @property
    def watchman_directories(self) -> tuple[bytes, ...]:
        """Where the Watchman socket may be, best first.

        A server takes the first that is fit; a client looks in all, because the
        runtime directory comes and goes with the user's logins.
        """
        runtime = None if self.runtime is None else self.runtime + b"/gamin"
        # Anybody may take our name in /tmp; only the user can in the home directory.
        places = (runtime, self.directory, self.state)
        return tuple(place for place in places if place is not None)

    @property
    def watchman_file(self) -> bytes:
        return b"modern-" + self.session + b".sock"

    def __str__(self) -> str:
        return f"session {os.fsdecode(self.session)!r} of {printable(self.user)}"

    def checked(self) -> "Address":
        """Itself. Raises InvalidSetting if a name has no room for the session.

        The original would take "a/b" as an abstract name. A session means the same
        everywhere, and as a file name this one leaves the directory: refused.
        """
        if b"/" in self.session or b"\0" in self.session:
            raise self._bad_session("a session may contain neither '/' nor NUL")
        uses_abstract = self.transport is not Transport.DIRECTORY
        if uses_abstract and len(self._abstract_text()) - 1 > MAX_ABSTRACT_BYTES:
            raise self._bad_session("too long for the name of an abstract socket")
        if len(self.watchman_file) > MAX_FILE_BYTES:
            raise self._bad_session("too long for the name of a socket file")
        return self

    def _abstract_text(self) -> bytes:
        return b"\0/tmp/fam-" + self.user + b"-" + self.session

    def _bad_session(self, reason: str) -> InvalidSetting:
        return InvalidSetting("GAM_CLIENT_ID", os.fsdecode(self.session), reason)


def find(
    environ: Mapping[str, str],
    uid: int,
    *,
    session: str | None = None,
    runtime_root: bytes = b"/run/user",
) -> Address:
    """The address that `environ` chooses for `uid`; `session` wins over it.

    Asks the system two things: the user's name, and whether there is a runtime
    directory. Raises InvalidSetting.
    """
    base = environ.get("GAMIN_SOCKET_DIR", "")
    if base and not base.startswith("/"):
        raise InvalidSetting("GAMIN_SOCKET_DIR", base, "must be an absolute path")
    address = Address(
        uid=uid,
        user=user_name(uid),
        session=os.fsencode(
            environ.get("GAM_CLIENT_ID", "") if session is None else session
        ),
        transport=_transport(environ.get("GAMIN_SOCKET", "")),
        base=os.fsencode(base).rstrip(b"/") if base else b"/tmp",
        runtime=None if base else runtime_directory(uid, runtime_root),
        state=None if base else state_directory(uid),
        any_mounts=environ.get("GAMIN_MOUNTS", "") == ANY,
    )
    return address.checked()


def user_name(uid: int) -> bytes:
    """The name in the password database, or else the number (as in containers)."""
    try:
        name = os.fsencode(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return b"%d" % uid
    return name if name and b"/" not in name else b"%d" % uid


def runtime_directory(uid: int, root: bytes = b"/run/user") -> bytes | None:
    """The directory the system made for `uid` alone, if there is a sound one.

    Found by the uid and not by XDG_RUNTIME_DIR, so that a program started by cron
    and one started by a shell agree.
    """
    path = root + b"/%d" % uid
    try:
        status = os.lstat(path)
    except OSError:
        return None
    others_may_write = status.st_mode & 0o022
    sound = stat.S_ISDIR(status.st_mode) and status.st_uid == uid
    return path if sound and not others_may_write else None


def state_directory(uid: int) -> bytes | None:
    """Where sockets are if others hold our names in /tmp: below the home directory that
    the password database knows, so that all programs of the user agree."""
    try:
        home = os.fsencode(pwd.getpwuid(uid).pw_dir)
    except KeyError:
        return None
    return home + b"/.local/state/gamin/run" if home.startswith(b"/") else None


def _transport(value: str) -> Transport:
    has_abstract = sys.platform == "linux"
    try:
        transport = Transport(value or "auto")
    except ValueError:
        choices = ", ".join(choice.value for choice in Transport)
        raise InvalidSetting(
            "GAMIN_SOCKET", value, f"must be one of {choices}"
        ) from None
    if has_abstract or transport is Transport.DIRECTORY:
        return transport
    if transport is Transport.ABSTRACT:
        raise InvalidSetting(
            "GAMIN_SOCKET", value, "this system has no abstract sockets"
        )
    return Transport.DIRECTORY
