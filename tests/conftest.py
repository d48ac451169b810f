"""What many tests start from."""

import uuid

import pytest


@pytest.fixture
def session() -> str:
    """A session that no other server on this machine has."""
    return f"test-{uuid.uuid4()}"
