"""The models remove every directory in slices, as only large ones are otherwise."""

from collections.abc import Iterator

import pytest

from gamin.core.apply import removals


@pytest.fixture(scope="module", autouse=True)
def _removed_in_slices() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(removals, "MAX_NAMES_AT_ONCE", 0)
        patch.setattr(removals, "BATCH_NAMES", 1)
        yield
