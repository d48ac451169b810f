"""The libraries whose own tests are run, and what is known to differ."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

EXPECT_OPENS = "it expects events of opens, which the service never reports"
PRIVATE = "it tests private parts of the engine that is replaced"


class Suite(NamedTuple):
    """The tests of one version of a library."""

    library: str
    version: str
    requirements: Sequence[str]
    """What the tests need, beside pytest."""
    options: Sequence[str]
    """More options of pytest."""
    known: Mapping[str, str] = MappingProxyType({})
    """The tests that fail over the service only, and why; without parameters."""
    without_opens: str = ""
    """Tests that are run once more, without the events of opens."""

    @property
    def name(self) -> str:
        return f"{self.library}-{self.version}"


WATCHDOG_OPTIONS = (
    *("-o", "addopts=", "-o", "pythonpath="),
    # It takes all inotify instances of the user, from whatever else runs.
    *("-k", "not exhausted_inotify_instances"),
)
WATCHDOG_6 = {
    **dict.fromkeys(
        (
            "test_create",
            "test_closed",
            "test_modify",
            "test_recursive_on",
            "test_recursive_off",
            "test_move_nested_subdirectories",
            "test_file_lifecyle",
        ),
        EXPECT_OPENS,
    ),
    "test_late_double_deletion": PRIVATE,
}
WATCHDOG_7 = {
    **WATCHDOG_6,
    **dict.fromkeys(
        (
            "test_create_wrong_encoding",
            "test_touch",
            "test_renaming_top_level_directory",
            "test_move_dir_to_then_change_inside",
        ),
        EXPECT_OPENS,
    ),
    **dict.fromkeys(
        (
            "test_observers_have_independent_inotify_fds",
            "test_observer_delivers_created_events",
            "test_recursive_watch_ignores_subdirectory_errors",
            "test_new_directory_filled_while_its_watches_are_added",
        ),
        PRIVATE,
    ),
}

SUITES = (
    Suite(
        "watchfiles",
        "1.3.0",
        ("anyio", "trio", "dirty-equals", "pytest-mock"),
        ("-W", "ignore::pytest.PytestRemovedIn10Warning"),
        {
            "test_ignore_permission_denied": "it watches /, and expects an error for "
            "what is in /proc, which the service leaves alone"
        },
    ),
    Suite(
        "watchdog",
        "6.0.0",
        ("flaky", "eventlet==0.37.0; python_version < '3.13'", "PyYAML"),
        WATCHDOG_OPTIONS,
        WATCHDOG_6,
    ),
    Suite(
        "watchdog",
        "7.1.0",
        ("flaky", "PyYAML"),
        WATCHDOG_OPTIONS,
        WATCHDOG_7,
        without_opens="tests/test_emitter.py",
    ),
)
