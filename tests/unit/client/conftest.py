"""Sessions for the tests of the faces."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

import gamin
from gamin import Watch
from testkit.watches import SOON, serving


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


@pytest.fixture
def watch(server: None, tmp_path: Path) -> Iterator[Watch]:
    """On `tmp_path`, with a patience that a failing test runs into."""
    with gamin.watch(tmp_path, timeout=SOON) as watch:
        yield watch
