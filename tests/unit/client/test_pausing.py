"""Waiting, whatever a program has done to `time.sleep`."""

import subprocess
import sys
import time
from unittest import mock

from gamin.client.pausing import pause

IMPORTED_LATE = """
import sys
from unittest import mock

with mock.patch("time.sleep"), mock.patch("time.monotonic"):
    import gamin.client.aio, gamin.client.connect, gamin.client.watch
    import gamin.compat.engine, gamin.compat.hub, gamin.compat.outage

def kept(value):
    made = getattr(value, "__init__", None)
    for function in (value, made):
        yield from getattr(function, "__defaults__", None) or ()
        yield from (getattr(function, "__kwdefaults__", None) or {}).values()
    yield value

for module, loaded in list(sys.modules.items()):
    if module.startswith("gamin"):
        for name, value in vars(loaded).items():
            if any(isinstance(each, mock.Mock) for each in kept(value)):
                print(f"{module}.{name}")
"""


def test_a_pause_lasts_though_sleep_is_replaced() -> None:
    started = time.monotonic()
    with mock.patch("time.sleep", side_effect=AssertionError):
        pause(0.01)
    assert time.monotonic() - started >= 0.01


def test_what_was_replaced_while_gamin_was_imported_is_not_kept() -> None:
    command = [sys.executable, "-c", IMPORTED_LATE]
    assert subprocess.check_output(command, text=True).split() == []
