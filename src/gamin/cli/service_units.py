"""The texts of the systemd units with which a user's manager runs the server.

Two units: a socket at which the manager listens for Watchman's language, and the
service that it starts when a program calls there.

There is no socket unit for libgamin's language: a program of it dials an abstract name
of exactly 108 bytes, padded with NULs, and systemd binds an abstract name without
padding (systemd.socket(5); tried with systemd 252). So libgamin starts `gam_server`
itself, as ever; that one finds the manager listening, makes it start the service and
leaves the session to it.
"""

import re
from pathlib import PurePath
from typing import NamedTuple

from gamin.errors import GaminError

WATCHDOG_SECONDS = 120
"""How long systemd waits for a sign of life. Half of it is how often a server that is
idle wakes up for the sign."""

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
"""Sessions whose name may be part of a unit's name as it is."""

_SERVICE = """\
[Unit]
Description=gamin, the file-change service{of_session}
Documentation=man:gamin(1)
Requires={name}.socket
After={name}.socket

[Service]
Type=notify
ExecStart={command}
Environment=GAM_CLIENT_ID={session}
# The server ends when it was idle for 30 s; the next call starts it again.
Restart=on-failure
RestartSec=1
WatchdogSec={watchdog}
TimeoutStopSec=10

# What may be taken away from a server that must see every file of its user as the
# user's programs see it. So nothing here gives it other mounts (ProtectSystem=,
# ProtectHome=, PrivateTmp=, PrivateDevices=, ProtectProc=: all need a mount namespace,
# and changes on a mount that is made later would be missed), other users
# (PrivateUsers=: both sides check the uid) or another network namespace
# (PrivateNetwork=: abstract sockets belong to one).
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX
SystemCallArchitectures=native
SystemCallFilter=@system-service fanotify_init fanotify_mark
SystemCallErrorNumber=EPERM
UMask=0077
"""

_SOCKET = """\
[Unit]
Description=Socket of gamin, the file-change service{of_session}
Documentation=man:gamin(1)

[Socket]
ListenStream=%t/gamin/modern-{session}.sock
SocketMode=0600
DirectoryMode=0700
Backlog=1024

[Install]
WantedBy=sockets.target
"""


_PUBLISHER = """\
[Unit]
Description=gamin publish {settings}
Documentation=man:gamin(1)
# It waits for NATS and for its server by itself; a wrong settings file is an error.
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=5
TimeoutStopSec=20
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""


class NoUnitName(GaminError):
    """A name that cannot be part of a unit's name."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(what, name)
        self.what = what
        self.name = name

    def __str__(self) -> str:
        return (
            f"{self.what}: {self.name!r} cannot be part of a unit's name; "
            "only letters, digits and _.- can"
        )


class Units(NamedTuple):
    """The texts of units, by the names of their files."""

    name: str
    """What the names begin with."""
    files: dict[str, str]
    purpose: str = ""
    """A line without which a unit of these names is for something else."""

    @property
    def started(self) -> str:
        """The unit that is enabled; it starts the other one, if there is one."""
        return next(iter(self.files))


def units(session: str, command: list[str]) -> Units:
    """The units that run `command` as the server of `session` ("" is the usual one).

    Raises NoUnitName.
    """
    if session and not _PLAIN.fullmatch(session):
        raise NoUnitName("GAM_CLIENT_ID", session)
    values = {
        "name": f"gamin-{session}" if session else "gamin",
        "of_session": f" (session {session})" if session else "",
        "session": session,
        "command": " ".join(map(quoted, command)),
        "watchdog": WATCHDOG_SECONDS,
    }
    name = str(values["name"])
    return Units(
        name,
        {
            f"{name}.socket": _SOCKET.format(**values),
            f"{name}.service": _SERVICE.format(**values),
        },
    )


def publisher_unit(settings: str, command: list[str]) -> Units:
    """The unit that runs `command`, which publishes what the settings file says. It is
    named after the file. Raises NoUnitName."""
    stem = PurePath(settings).stem
    if not _PLAIN.fullmatch(stem):
        raise NoUnitName(settings, stem)
    shown = settings.replace("%", "%%").replace("\n", " ")
    text = _PUBLISHER.format(settings=shown, command=" ".join(map(quoted, command)))
    name = f"gamin-publish-{stem}"
    return Units(name, {f"{name}.service": text}, f"Description=gamin publish {shown}")


def quoted(word: str) -> str:
    r"""A word of a command line in a unit file (systemd.service(5), "Command lines").

    `quoted("/opt/my tools/100%")` is `"/opt/my tools/100%%"`.
    """
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    escaped = escaped.replace("%", "%%").replace("$", "$$")
    return escaped if _PLAIN.fullmatch(word.replace("/", "")) else f'"{escaped}"'
