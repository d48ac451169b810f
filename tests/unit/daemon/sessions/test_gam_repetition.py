"""How the requests of a client that comes back are recognized, one after the other."""

from typing import Any

import pytest

from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.sessions.gam_repetition import Repetition, asked_by
from gamin.protocol.gam.server import Monitor
from gamin.state.client_store import PATHS_PER_READ, PathKey
from gamin.state.saved_client import ClientKey, Completeness, PastClient, PathBelief


def monitor(number: int, path: bytes = b"", *, again: bool = True) -> Monitor:
    path = path or b"/%d" % number
    return Monitor(number, path, directory=True, no_exists=again)


def subscription(request: Monitor) -> Subscription:
    scope = Scope.DIRECTORY if request.directory else Scope.FILE
    return Subscription(None, request.sequence, request.path, scope)


class Clients:
    """Knows of every path but `unknown`, and counts the reads."""

    def __init__(self, unknown: bytes = b"") -> None:
        self.reads: list[int] = []
        self._unknown = unknown

    def beliefs(self, past: PastClient, keys: list[PathKey]) -> Any:
        self.reads.append(len(keys))
        return {k: PathBelief(True) for k in keys if k[0] != self._unknown}

    def gap(self, past: PastClient, belief: PathBelief, one: Subscription) -> bytes:
        return one.path


def repetition(clients: Clients, count: int) -> Repetition:
    asked = [asked_by(subscription(monitor(number))) for number in range(1, count + 1)]
    past = PastClient(ClientKey(1, 2, 3), Completeness(4, 5), asked)
    made: Any = clients
    return Repetition(made, past)


def found(of: Repetition, *requests: Monitor) -> list[object]:
    return [of.gap(each, subscription(each)) for each in requests]


def test_requests_are_found_in_their_order_and_cancelled_ones_are_skipped() -> None:
    of = repetition(Clients(), 4)
    assert found(of, monitor(1), monitor(3)) == [b"/1", b"/3"]
    assert not of.is_over
    assert found(of, monitor(4)) == [b"/4"]
    assert of.is_over


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(monitor(9), id="a new number"),
        pytest.param(monitor(2, b"/elsewhere"), id="another path"),
        pytest.param(monitor(2)._replace(directory=False), id="another kind"),
        pytest.param(monitor(2, again=False), id="with its listing"),
        pytest.param(monitor(1), id="one that came already"),
    ],
)
def test_after_a_request_that_is_none_of_them_nothing_is_found(other: Monitor) -> None:
    of = repetition(Clients(), 4)
    assert found(of, monitor(1), other, monitor(3)) == [b"/1", None, None]
    assert of.is_over


def test_a_path_of_which_nothing_is_known_does_not_end_the_repetition() -> None:
    of = repetition(Clients(unknown=b"/2"), 3)
    assert found(of, monitor(1), monitor(2), monitor(3)) == [b"/1", None, b"/3"]


def test_paths_are_read_as_they_are_needed() -> None:
    clients = Clients()
    of = repetition(clients, 3 * PATHS_PER_READ)
    found(of, monitor(1))
    assert clients.reads == [PATHS_PER_READ]
    found(of, *map(monitor, range(2, PATHS_PER_READ + 2)))
    assert clients.reads == [PATHS_PER_READ] * 2
