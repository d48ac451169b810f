"""How `gamin follow` writes one event."""

import json

import pytest

from gamin.cli.follow import as_json, as_line
from gamin.cli.main import main
from gamin.fleet.message import FleetEvent

EVENT = FleetEvent(
    *("web1", "data", "created", "a\nb", None, False, False, 7, 1.5, "c:1:2:3:4"),
    *("2026-01-02T03:04:05Z", {"rack": "7"}, "epoch", 0, "", ()),
    stream_sequence=42,
)


def test_a_line_has_the_place_the_kind_and_what_can_be_shown_of_the_path() -> None:
    assert as_line(EVENT) == "web1:data\tcreated\ta\\nb"
    moved = EVENT._replace(kind="moved", path="a", dest="b\x1b[31m")
    assert as_line(moved) == "web1:data\tmoved\ta\tb\\x1b[31m"


def test_a_listing_has_a_line_for_each_path() -> None:
    listing = EVENT._replace(kind="listing", entries=(("d", True), ("d/f", False)))
    assert as_line(listing).split("\n") == [
        "web1:data\texists\td",
        "web1:data\texists\td/f",
    ]
    assert as_line(EVENT._replace(kind="resync")) == "web1:data\tresync"


def test_an_object_has_what_is_set() -> None:
    read = json.loads(as_json(EVENT._replace(path="x\udcff")))
    assert read["path"] == "x\udcff"
    assert (read["size"], read["stream_sequence"]) == (7, 42)
    assert read["labels"] == {"rack": "7"}
    assert "dest" not in read
    listing = EVENT._replace(kind="listing", entries=(("d", True),))
    assert json.loads(as_json(listing))["entries"] == [{"path": "d", "is_dir": True}]


def test_a_beginning_that_cannot_be_read_is_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["follow", "--since", "yesterday", "nats://localhost"]) == 64
    assert "'yesterday' is no position, no time" in capsys.readouterr().err
