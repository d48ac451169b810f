from gamin.core.model.subscription import Scope, Subscription
from gamin.core.throttle.listing_hold import (
    HOLD_SECONDS,
    MAX_HELD_BYTES,
    MAX_HOLD_SECONDS,
    ListingHold,
)
from gamin.protocol.gam.packets import EventCode
from testkit.scenario.in_memory import CoreDriver

ONE = Subscription(1, 1, b"/one", Scope.DIRECTORY)
OTHER = Subscription(1, 2, b"/other", Scope.DIRECTORY)


def listed(now: float) -> ListingHold:
    hold = ListingHold()
    hold.listed(now)
    return hold


def test_changes_of_a_client_without_a_listing_are_not_held() -> None:
    hold = ListingHold()
    assert hold.pass_on(ONE, b"a", 10.0) == b"a"
    assert hold.deadline() is None


def test_a_change_a_quarter_of_a_second_after_the_listing_is_not_held() -> None:
    assert listed(10.0).pass_on(ONE, b"a", 10.25) == b"a"


def test_changes_right_after_a_listing_come_together_and_in_order() -> None:
    hold = listed(10.0)
    assert hold.pass_on(ONE, b"a", 10.1) == b""
    assert hold.pass_on(OTHER, b"b", 10.2) == b""
    assert hold.deadline() == 10.0 + HOLD_SECONDS
    assert hold.release(10.24, has_read=True) == b""
    assert hold.release(10.25, has_read=True) == b"ab"
    assert hold.deadline() is None
    assert hold.size == 0


def test_a_change_does_not_overtake_one_that_is_still_held() -> None:
    hold = listed(10.0)
    hold.pass_on(ONE, b"a", 10.1)
    assert hold.pass_on(ONE, b"b", 10.3) == b""
    assert hold.release(10.3, has_read=True) == b"ab"


def test_further_listings_hold_no_change_longer_than_a_quarter_of_a_second() -> None:
    hold = listed(10.0)
    hold.pass_on(ONE, b"a", 10.2)
    hold.listed(10.24)
    assert hold.release(10.25, has_read=True) == b""
    hold.listed(10.4)
    assert hold.release(10.2 + HOLD_SECONDS, has_read=True) == b"a"
    assert hold.pass_on(ONE, b"b", 10.5) == b""


def test_the_moment_is_longer_for_a_client_that_does_not_read() -> None:
    hold = listed(10.0)
    hold.pass_on(ONE, b"a", 10.0)
    assert hold.release(10.25, has_read=False) == b""
    retry = hold.deadline()
    assert retry is not None
    assert 10.25 < retry < 10.3
    assert hold.release(retry, has_read=True) == b"a"


def test_after_a_second_also_a_client_that_does_not_read_is_sent_its_changes() -> None:
    hold = listed(10.0)
    hold.pass_on(ONE, b"a", 10.0)
    sent, steps = b"", 0
    while not sent:
        due = hold.deadline()
        assert due is not None
        assert due <= 10.0 + MAX_HOLD_SECONDS
        sent, steps = hold.release(due, has_read=False), steps + 1
    assert sent == b"a"
    assert steps < 50


def test_nothing_that_is_held_of_a_subscription_that_ended_is_sent() -> None:
    hold = listed(10.0)
    hold.pass_on(ONE, b"a", 10.0)
    hold.pass_on(OTHER, b"b", 10.0)
    hold.forget(ONE)
    assert hold.release(10.25, has_read=True) == b"b"


def test_much_more_than_a_program_causes_by_asking_is_sent_at_once() -> None:
    hold = listed(10.0)
    hold.pass_on(ONE, b"." * MAX_HELD_BYTES, 10.0)
    assert hold.release(10.1, has_read=False) == b""
    hold.pass_on(ONE, b".", 10.1)
    assert len(hold.release(10.1, has_read=False)) == MAX_HELD_BYTES + 1


def test_a_client_has_all_listings_before_a_change_that_it_caused_meanwhile() -> None:
    driver = CoreDriver()
    disk = driver.shell.disk
    disk.makedirs(b"/scenario/new")
    disk.makedirs(b"/scenario/cur")
    disk.touch(b"/scenario/new/mail")
    client = driver.client("courier-imap")
    new = client.watch_directory(b"/scenario/new")
    disk.rename(b"/scenario/new/mail", b"/scenario/cur/mail")
    driver.shell.sleep(HOLD_SECONDS / 2)
    cur = client.watch_directory(b"/scenario/cur")
    received = client.barrier()
    deleted = received.index(ReceivedEvent(new, EventCode.DELETED, b"mail"))
    listing_ends = received.index(
        ReceivedEvent(cur, EventCode.END_EXIST, b"/scenario/cur")
    )
    assert listing_ends < deleted
