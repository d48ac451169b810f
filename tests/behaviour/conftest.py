"""Sessions for tests that use `gamin.watch`."""

from collections.abc import Iterator

import pytest

from testkit.watches import serving


@pytest.fixture
def own_server(session: str) -> Iterator[None]:
    """Watches of the test share one server, which ends with it."""
    with serving(session):
        yield
