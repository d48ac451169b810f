"""Tests of one group run in one process, and so start what they share once."""

import pytest


@pytest.mark.xdist_group("groups")
def test_pytest_xdist_is_told_the_group_of_a_test(
    request: pytest.FixtureRequest,
) -> None:
    """It goes by the end of the id."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("not one of several processes (--dist loadgroup)")
    assert request.node.nodeid.endswith("@groups")
