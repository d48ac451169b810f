"""How `gamin follow` writes one event."""

import json

import pytest

from gamin.cli.follow import FLEET_FIELDS, as_json, as_line, formatted
from gamin.cli.main import main
from gamin.cli.template import Template
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


def shown(text: str, event: FleetEvent) -> list[str]:
    return formatted(Template(text, FLEET_FIELDS))(event).splitlines()


def test_a_template_has_the_fields_of_watch_and_those_of_the_message() -> None:
    text = "{host}:{tree} {kind} {path} {type} {size} {sequence} {time}"
    assert shown(text, EVENT) == [
        "web1:data created a\\nb file 7 42 2026-01-02T03:04:05Z"
    ]
    moved = EVENT._replace(kind="moved", path="a", dest="d/b", size=None)
    assert shown("{kind} {path} {dest} {name} [{size}]", moved) == ["moved a d/b a []"]


def test_a_template_gives_a_line_for_each_path_of_a_listing() -> None:
    listing = EVENT._replace(kind="listing", entries=(("d", True), ("d/f", False)))
    assert shown("{host} {kind} {path} {type}", listing) == [
        "web1 exists d directory",
        "web1 exists d/f file",
    ]


def test_a_template_shows_what_is_about_the_whole_tree() -> None:
    assert shown("{tree} {kind} [{path}]", EVENT._replace(kind="missed")) == [
        "data missed []"
    ]
    assert shown("%e %w%f", EVENT._replace(kind="resync", path="")) == ["RESYNC "]


def test_a_template_with_letters_splits_a_move_as_inotifywait_does() -> None:
    moved = EVENT._replace(kind="moved", path="a", dest="d/b", is_dir=True)
    assert shown("{host} %e %w%f", moved) == [
        "web1 MOVED_FROM,ISDIR a",
        "web1 MOVED_TO,ISDIR d/b",
    ]


def test_the_fields_of_a_message_are_unknown_to_gamin_watch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["watch", "--format", "{host}"], ["follow", "--format", "{hosts}"]):
        with pytest.raises(SystemExit, match="64"):
            main([*words, "nats://localhost"])
    assert capsys.readouterr().err.count("no field 'host") == 2


def test_what_another_machine_calls_itself_cannot_act_on_the_terminal() -> None:
    text = as_line(EVENT._replace(host="web\x1b[2J", tree="\r"))
    assert text == r"web\x1b[2J:\r" + "\tcreated\t" + r"a\nb"
