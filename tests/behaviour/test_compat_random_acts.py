"""Random operations against a model: watchfiles' and watchdog's interfaces report each.

`python -m soak.compat` is the long run.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.compat_peers import PEERS, compare
from testkit.watches import serving

OPERATIONS = 60


@pytest.fixture(autouse=True)
def server(session: str) -> Iterator[None]:
    with serving(session):
        yield


@pytest.mark.parametrize("name", PEERS)
def test_every_operation_is_reported_and_no_path_is_wrong(
    name: str, tmp_path: Path
) -> None:
    pytest.importorskip("watchdog")
    found = compare(name, tmp_path, seed=15, operations=OPERATIONS)
    assert (found.less, found.wrong) == ([], [])
