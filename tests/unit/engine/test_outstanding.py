"""What distant mounts have not answered, and who waits for it."""

from gamin.config.mounts import Mount
from gamin.core.effects import Probe, Ready, Scan, Watch
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.engine.outstanding import Outstanding
from gamin.engine.proxy import Proxy, Request

NET, FAR = Mount(b"/net", "nfs"), Mount(b"/far", "nfs")
NODE = Node(None, b"")
ONE = Subscription(0, 1, b"/net/a", Scope.TREE)
OTHER = Subscription(0, 2, b"/far/a", Scope.TREE)
READY = Ready(ONE)


def request(work: Watch | Scan | Probe) -> Request:
    return Request(Proxy(NODE, NET), work, None, b"/net")


def test_nothing_is_outstanding_at_first() -> None:
    outstanding = Outstanding()
    assert not outstanding
    assert not outstanding.has(NET)
    assert list(outstanding.mounts) == []
    assert not outstanding.hold(READY, [NET])


def test_a_mount_is_done_when_all_its_requests_are_answered() -> None:
    outstanding = Outstanding()
    first, second = request(Watch(NODE)), request(Watch(NODE))  # equal, and two
    outstanding.add(NET, first)
    outstanding.add(NET, second)
    outstanding.answered(NET, first)
    assert outstanding.has(NET)
    assert not outstanding.has(FAR)
    outstanding.answered(NET, second)
    assert not outstanding


def test_a_subscription_is_ready_when_the_last_watch_is_answered() -> None:
    outstanding = Outstanding()
    near, far = request(Watch(NODE)), request(Watch(NODE))
    outstanding.add(NET, near)
    outstanding.add(FAR, far)
    assert outstanding.hold(READY, [NET, FAR])
    assert outstanding.answered(NET, near) == []
    assert outstanding.answered(FAR, far) == [READY]
    assert outstanding.answered(FAR, far) == []


def test_nobody_waits_for_what_is_asked_later_or_is_no_watch() -> None:
    outstanding = Outstanding()
    outstanding.add(NET, request(Probe(ONE, NODE, b"a")))
    assert not outstanding.hold(READY, [NET])
    watch = request(Watch(NODE))
    outstanding.add(NET, watch)
    assert outstanding.hold(READY, [NET])
    outstanding.add(NET, request(Watch(NODE)))
    assert outstanding.answered(NET, watch) == [READY]


def test_a_mount_that_is_given_up_keeps_nobody_waiting() -> None:
    outstanding = Outstanding()
    near, far = request(Watch(NODE)), request(Watch(NODE))
    outstanding.add(NET, near)
    outstanding.add(FAR, far)
    outstanding.hold(READY, [NET])
    outstanding.hold(Ready(OTHER), [NET, FAR])
    unanswered, ready = outstanding.give_up(NET)
    assert unanswered == [near]
    assert unanswered[0] is near
    assert ready == [READY]
    assert outstanding.give_up(NET) == ([], [])
    assert outstanding.answered(FAR, far) == [Ready(OTHER)]


def test_a_subscription_waits_for_its_scans_probes_and_watches() -> None:
    outstanding = Outstanding()
    watch = request(Watch(NODE))
    outstanding.add(NET, watch)
    assert list(outstanding.waited_for_by(ONE)) == []
    outstanding.hold(READY, [NET])
    assert list(outstanding.waited_for_by(ONE)) == [NET]
    outstanding.add(FAR, request(Scan(NODE, OTHER)))
    outstanding.add(FAR, request(Probe(OTHER, NODE, b"a")))
    assert list(outstanding.waited_for_by(OTHER)) == [FAR]
    assert list(outstanding.waited_for_by(ONE)) == [NET]
