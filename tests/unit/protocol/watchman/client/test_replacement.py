"""A rename that replaces a file does not say so; the client knows."""

import pytest

from gamin.errors import RemoteProtocolError
from gamin.events import Event, Kind
from gamin.protocol.watchman.client.belief import Belief
from gamin.protocol.watchman.client.decode import decode_and_apply, decode_detailed
from gamin.protocol.watchman.client.replacement import with_deletions


def decoded(rows: str, root: str = "/a") -> list[tuple[Kind, str, str | None]]:
    """What rows mean where there are two files, `old` and `there`, and a directory."""
    belief = Belief({"": "old/there/sub", "sub": "there"})
    found = with_deletions(decode_and_apply)(rows, root, belief, recovered=False)
    return [(event.kind, event.path, event.dest) for event in found]


def test_a_deletion_comes_before_the_rename_that_replaces_a_known_file() -> None:
    assert decoded("wthere//fold//tthere") == [
        (Kind.CHANGED, "/a/there", None),
        (Kind.DELETED, "/a/there", None),
        (Kind.MOVED, "/a/old", "/a/there"),
    ]
    assert decoded("fold//tsub/there")[0] == (Kind.DELETED, "/a/sub/there", None)


def test_a_rename_to_a_new_name_replaces_nothing() -> None:
    assert decoded("fold//tnew") == [(Kind.MOVED, "/a/old", "/a/new")]


def test_a_file_that_was_taken_away_before_is_not_replaced() -> None:
    there, away = "/a/there", "/a/sub/new"
    assert decoded("fthere//tsub/new//fold//tthere") == [
        (Kind.MOVED, there, away),
        (Kind.MOVED, "/a/old", there),
    ]
    assert decoded("dthere//fold//tthere") == [
        (Kind.DELETED, there, None),
        (Kind.MOVED, "/a/old", there),
    ]


def test_a_deletion_of_what_is_unknown_is_left_out() -> None:
    assert decoded("dgone//Dsub/gone//dnowhere/gone") == []
    assert decoded("dold//dold//cold//dold") == [
        (Kind.DELETED, "/a/old", None),
        (Kind.CREATED, "/a/old", None),
        (Kind.DELETED, "/a/old", None),
    ]
    assert decoded("dsub/there//Dsub") == [
        (Kind.DELETED, "/a/sub/there", None),
        (Kind.DELETED, "/a/sub", None),
    ]
    assert decoded("D")[-1] == (Kind.DELETED, "/a", None)


def test_what_is_below_a_deleted_directory_is_deleted_before_it_and_once() -> None:
    assert decoded("Dsub//dsub/there") == [
        (Kind.DELETED, "/a/sub/there", None),
        (Kind.DELETED, "/a/sub", None),
    ]


def test_rows_with_details_are_understood() -> None:
    belief = Belief({"": "old/there"})
    decode = with_deletions(decode_detailed, is_detailed=True)
    found = decode("f-old//t1there//d1gone//d1there", "/a", belief, recovered=False)
    assert [event.kind for event in found] == [
        Kind.DELETED,
        Kind.MOVED,
        Kind.DELETED,
    ]


@pytest.mark.parametrize("rows", ["fold", "dold//fold", "x", "dold//", "////"])
def test_rows_that_make_no_sense_are_refused(rows: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decoded(rows)


def test_a_directory_is_no_replaced_file() -> None:
    assert decoded("fold//tsub") == [(Kind.MOVED, "/a/old", "/a/sub")]
    assert decoded("Fsub//Tthere") == [(Kind.MOVED, "/a/sub", "/a/there")]


def test_below_the_root_directory_paths_have_one_slash() -> None:
    assert decoded("fold//tthere", "/")[0] == (Kind.DELETED, "/there", None)


def test_rows_without_a_rename_are_decoded_as_they_are() -> None:
    assert decoded("cnew//dold") == [
        (Kind.CREATED, "/a/new", None),
        (Kind.DELETED, "/a/old", None),
    ]
    assert Event(Kind.CREATED, "/a/new").dest is None
