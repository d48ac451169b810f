"""The models remove every directory in slices and send every listing in pieces, as only
large ones are otherwise."""

from collections.abc import Iterator

import pytest

from gamin.core.apply import removals
from gamin.core.deliver import outbox


@pytest.fixture(scope="module", autouse=True)
def _everything_is_large() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(removals, "MAX_NAMES_AT_ONCE", 0)
        patch.setattr(removals, "BATCH_NAMES", 1)
        patch.setattr(outbox, "PIECE_ROWS", 2)
        yield
