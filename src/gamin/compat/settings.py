"""What the environment says about replacing the engines of other libraries.

`gamin exec` sets these variables for a program and everything it starts; a user may
set them, too. They are read when they are needed, so that a program can change them.
"""

import os
import sys

REPLACE = "GAMIN_REPLACE"
"""The libraries whose engine is replaced, separated by commas; `0` replaces none."""
POLLING_TOO = "GAMIN_POLLING_TOO"
"""`1`: watchdog's PollingObserver uses the service as well."""
VCS_IGNORE = "GAMIN_VCS_IGNORE"
"""`1`: what git ignores is not watched and not reported."""
SERVER = ("GAM_CLIENT_ID", "GAMIN_SOCKET_DIR", "GAMIN_DEBUG_SERVER")
"""The variables that decide which server a program uses."""
OFF = frozenset({"0", "off", "no", "false"})
LIBRARIES = ("watchfiles", "watchdog")
"""The libraries whose engine can be replaced."""
HUPPER = "hupper"
"""In GAMIN_REPLACE: have hupper watch by watchdog, though there is a WATCHMAN_SOCK."""


def wanted() -> tuple[str, ...]:
    """The libraries that GAMIN_REPLACE names."""
    named = _named()
    return tuple(name for name in LIBRARIES if name in named)


def hupper_wants_watchdog() -> bool:
    """Whether GAMIN_REPLACE says so."""
    return HUPPER in _named()


def why_not() -> str | None:
    """Why no engine is to be replaced at all; None if nothing is against it."""
    if os.environ.get(REPLACE, "").lower() in OFF:
        return f"{REPLACE} is 0"
    if sys.platform != "linux":
        return f"gamin needs Linux, and this is {sys.platform}"
    return None


def polling_too() -> bool:
    return _is_on(POLLING_TOO)


def vcs_ignore() -> bool:
    return _is_on(VCS_IGNORE)


def server() -> tuple[str | None, ...]:
    """What distinguishes the server of this program from others."""
    return tuple(map(os.environ.get, SERVER))


def _named() -> list[str]:
    value = os.environ.get(REPLACE, "")
    return [] if value.lower() in OFF else value.split(",")


def _is_on(variable: str) -> bool:
    value = os.environ.get(variable, "")
    return bool(value) and value.lower() not in OFF
