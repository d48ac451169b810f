import pytest

from gamin.protocol.watchman import requests as ask
from gamin.protocol.watchman.commands import parse_request
from gamin.protocol.watchman.errors import BadRequest


@pytest.mark.parametrize(
    ("value", "request_"),
    [
        (["debug-ageout", "/a", 5], ask.AgeOut(b"/a", 5)),
        (["debug-recrawl", "/a"], ask.Recrawl(b"/a")),
        (["debug-drop-privs"], ask.DropPrivileges()),
        (["debug-get-subscriptions", "/a"], ask.ShowSubscriptions(b"/a")),
        (["debug-root-status", "/a"], ask.ShowRoot(b"/a")),
        (["debug-contenthash", "/a"], ask.ShowContentHashes(b"/a")),
        (["debug-symlink-target-cache", "/a"], ask.ShowSymlinkTargets(b"/a")),
        (["debug-watcher-info", "/a"], ask.ShowWatcher(b"/a")),
        (["debug-watcher-info-clear", "/a"], ask.ClearWatcher(b"/a")),
        (["debug-status"], ask.ShowStatus()),
        (
            ["debug-set-subscriptions-paused", {"s": True, "t": False}],
            ask.PauseSubscriptions({"s": True, "t": False}),
        ),
    ],
)
def test_a_request_is_read(value: list[object], request_: ask.Request) -> None:
    assert parse_request(value) == request_


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (["debug-ageout", "/a"], "wrong number of arguments"),
        (["debug-ageout", "/a", "x"], "number of seconds"),
        (["debug-ageout", "/a", -1], "number of seconds"),
        (["debug-recrawl"], "wrong number of arguments"),
        (["debug-set-subscriptions-paused", []], "must be an object"),
        (["debug-set-subscriptions-paused", {"s": 1}], "'s' not a boolean"),
    ],
)
def test_what_makes_no_sense_is_refused(value: list[object], complaint: str) -> None:
    with pytest.raises(BadRequest, match=complaint):
        parse_request(value)
