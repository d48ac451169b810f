"""What many tests start from, and what lets several processes share the work.

How many there are is said by the Makefile.
"""

import gc
import os
import signal
import tempfile
import uuid
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from testkit import forked_servers
from testkit.examples import IS_RANDOM, examples
from testkit.scheduling import ModuleScheduling, compile_modules

MEMORY = "/dev/shm"
ENOUGH = 1 << 30  # bytes: what the tests leave there, several times over

# A shell ignores these for what it runs in the background, and programs that the tests
# start and interrupt would do so, too.
for _number, _usual in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

# How long an example takes says something of the machine, and nothing of the code.
# The examples are the same in every run, so a run says something about the change that
# it tests. `make search` looks for others, and keeps what fails in .hypothesis.
settings.register_profile(
    "shared machine",
    deadline=None,
    derandomize=not IS_RANDOM,
    max_examples=examples(50),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("shared machine")
if not IS_RANDOM:
    # Otherwise the constants in every module of the package and the tests are examples:
    # other ones after each edit. Each process takes more than a second to collect them.
    with suppress(ImportError):  # of a version that takes none
        pytest.MonkeyPatch().setattr(
            "hypothesis.internal.conjecture.providers.is_local_module_file",
            lambda _path: False,
            raising=False,
        )


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist starts the processes
def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.getoption("numprocesses", default=None):
        compile_modules(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Any
) -> ModuleScheduling | None:
    is_by_group = config.getoption("dist") == "loadgroup"
    return ModuleScheduling(config, log) if is_by_group else None


def pytest_collection() -> None:
    """Searching for garbage during the collection finds none: everything is kept."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What was collected stays to the end: no search during a test goes through it."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that one process has to run in a row begin first: whoever gets them last
    would run them alone, while all others are idle."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
    _add_groups(items)


def _add_groups(items: list[Any]) -> None:
    """Have tests of a group run in one process with pytest 9.2, too.

    pytest-xdist 3.8 adds the group to the id of a test by an attribute that pytest 9.2
    does not read any more, so every process would start what a group shares.
    """
    for item in items:
        with_group = getattr(item, "_nodeid", item.nodeid)
        if item.nodeid != with_group:
            item._id = item._id.parse(with_group)


@pytest.fixture
def session() -> str:
    """A session that no other server on this machine has."""
    return f"test-{uuid.uuid4()}"


def pytest_configure() -> None:
    """Files of tests are in memory where that can be: a file made on a disk that others
    keep busy takes a hundred times as long. TMPDIR decides otherwise."""
    os.environ["GAMIN_STATE"] = "off"  # servers of tests leave nothing behind
    forked_servers.use()
    if "TMPDIR" not in os.environ and _is_good_for_files(MEMORY):
        os.environ["TMPDIR"] = MEMORY  # for processes that tests start, too
        tempfile.tempdir = None  # to be found again


def _is_good_for_files(place: str) -> bool:
    """Whether there is room, and whether programs run from there."""
    try:
        found = os.statvfs(place)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize >= ENOUGH and not found.f_flag & os.ST_NOEXEC


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Any:
    """A report crosses to the process that prints it, and only as UTF-8; a name of a
    file in it may be any bytes. A test that passed and wrote nothing names none."""
    data = yield
    is_plain = data and not (data.get("longrepr") or data.get("sections"))
    return data if is_plain else _sendable(data)


def _sendable(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {key: _sendable(each) for key, each in value.items()}
        case list():
            return [_sendable(each) for each in value]
        case tuple():
            return tuple(_sendable(each) for each in value)
        case _:
            return value
