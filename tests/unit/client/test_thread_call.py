"""A call in a thread, and who discards its result."""

from gamin.client.driver import Call
from gamin.client.thread_call import ThreadCall


def test_a_result_that_is_wanted_is_not_discarded() -> None:
    discarded: list[object] = []
    call = ThreadCall(Call(lambda: "result", discarded.append))
    assert call.run() == "result"
    assert discarded == []


def test_a_result_that_comes_after_the_caller_has_left_is_discarded() -> None:
    discarded: list[object] = []
    call = ThreadCall(Call(lambda: "result", discarded.append))
    call.abandon()
    call.run()
    assert discarded == ["result"]


def test_a_result_that_the_caller_leaves_behind_is_discarded_once() -> None:
    discarded: list[object] = []
    call = ThreadCall(Call(lambda: "result", discarded.append))
    call.run()
    call.abandon()
    call.abandon()
    assert discarded == ["result"]
