"""Requests as types: each command is one of them, and nothing changes it later."""

from typing import Any, get_args

import pytest

from gamin.protocol.watchman import requests
from gamin.protocol.watchman.commands import parse_request
from gamin.protocol.watchman.errors import BadRequest

ROOT = "/r"
LINES: list[list[Any]] = [
    *([name] for name in ("version", "list-capabilities", "get-sockname", "get-pid")),
    *([name] for name in ("watch-list", "watch-del-all", "shutdown-server")),
    *([name] for name in ("gamin-status", "gamin-dump", "gamin-stop")),
    ["gamin-figures", 1],
    *([name, ROOT] for name in ("watch", "watch-project", "watch-del", "clock")),
    *([name, ROOT] for name in ("get-config", "find")),
    ["gamin-activity", ROOT, "name", ["file"]],
    *([name, ROOT] for name in ("debug-get-asserted-states", "debug-show-cursors")),
    *([name, ROOT] for name in ("debug-get-subscriptions", "debug-root-status")),
    *([name, ROOT] for name in ("debug-recrawl", "debug-watcher-info")),
    *([name, ROOT] for name in ("debug-contenthash", "debug-symlink-target-cache")),
    ["debug-watcher-info-clear", ROOT],
    *([name] for name in ("debug-status", "debug-drop-privs", "get-log")),
    *([name, "debug"] for name in ("log-level", "global-log-level")),
    ["debug-ageout", ROOT, 0],
    ["debug-set-subscriptions-paused", {"name": True}],
    ["query", ROOT, {}],
    ["since", ROOT, "c:1:2:3:4"],
    ["flush-subscriptions", ROOT, {"sync_timeout": 1}],
    ["subscribe", ROOT, "name", {}],
    ["unsubscribe", ROOT, "name"],
    ["state-enter", ROOT, "name"],
    ["state-leave", ROOT, {"name": "name", "metadata": [1]}],
    ["log", "debug", "text"],
    ["trigger", ROOT, {"name": "t", "command": ["true"]}],
    ["trigger-del", ROOT, "t"],
    ["trigger-list", ROOT],
]
TYPES = {type(made) for made in map(parse_request, LINES)}


def test_every_type_of_request_is_read_from_a_command() -> None:
    assert set(get_args(requests.Request)) == TYPES


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_a_request_is_equal_to_itself_read_again_and_cannot_be_changed(
    line: list[Any],
) -> None:
    made = parse_request(line)
    assert made == parse_request(line)
    for field in made.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(made, field, None)


@pytest.mark.parametrize("line", [each for each in LINES if len(each) > 1])
def test_a_command_without_its_root_is_a_bad_request(line: list[Any]) -> None:
    with pytest.raises(BadRequest):
        parse_request(line[:1])


def test_a_version_request_knows_whether_it_had_a_list() -> None:
    assert parse_request(["version"]) == requests.GetVersion()
    asked = parse_request(["version", {"optional": ["relative_root"]}])
    assert asked == requests.GetVersion((), ("relative_root",), asked=True)
