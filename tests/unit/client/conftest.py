"""Sessions for the tests of the faces."""

import uuid
from collections.abc import Iterator

import pytest

from testkit.watches import serving


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """A server for tests that do it no harm; the first of them starts it."""
    with serving(f"test-{uuid.uuid4()}"):
        yield


@pytest.fixture
def own_server(session: str) -> Iterator[None]:
    """A server for one test alone."""
    with serving(session):
        yield
