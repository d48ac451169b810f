import re

import pytest

from gamin.protocol.watchman.capabilities import CAPABILITIES, supported
from gamin.protocol.watchman.client.watching import REQUIRED
from gamin.protocol.watchman.version import VERSION


def test_the_version_is_numbers_that_clients_can_compare() -> None:
    assert re.fullmatch(r"\d+(\.\d+)+", VERSION)
    assert tuple(map(int, VERSION.split("."))) >= (4, 9)


@pytest.mark.parametrize(
    "name",
    [
        *("cmd-watch-project", "term-dirname", "field-mtime_ns", "relative_root"),
        *("wildmatch", "suffix-set", "dedup_results", "cmd-gamin-status"),
        *("field-content.sha1hex", "cmd-trigger"),
        *("gamin-settle-0", "gamin-moved-from", "gamin-kind"),
    ],
)
def test_capabilities_that_clients_require_are_announced(name: str) -> None:
    assert name in CAPABILITIES


@pytest.mark.parametrize(
    "name",
    ["scm-since", "watcher-eden", "saved-state-local", "foo"],
)
def test_missing_capabilities_are_not_announced(name: str) -> None:
    assert name not in CAPABILITIES


def test_our_fields_are_not_passed_off_as_watchmans() -> None:
    assert not {"field-kind", "field-moved_from", "field-is_dir"} & CAPABILITIES


def test_our_own_client_asks_for_nothing_that_we_lack() -> None:
    assert all(supported(REQUIRED).values())
