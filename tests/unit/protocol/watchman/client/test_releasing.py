"""Held paths are reported after what a reader must know before them."""

from gamin.events import Event, Kind
from gamin.protocol.watchman.client.held_path import Held
from gamin.protocol.watchman.client.net_change import NetChange
from gamin.protocol.watchman.client.releasing import Releasing


def releasing(**changes: NetChange) -> tuple[Releasing, dict[str, Held]]:
    """With these held; an underscore in a name is a slash."""
    paths = {f"/r/{name.replace('_', '/')}": change for name, change in changes.items()}
    held = {path: Held(path, change) for path, change in paths.items()}
    sources = {c.source: p for p, c in paths.items() if c.source is not None}
    return Releasing(held, sources), held


def change(*, existed: bool, is_dir: bool = False, exists: bool = True) -> NetChange:
    made = NetChange(existed=existed, is_dir=is_dir)
    made.exists = exists
    return made


def test_a_new_directory_comes_before_what_is_in_it() -> None:
    made, held = releasing(
        d_f=change(existed=False), d=change(existed=False, is_dir=True)
    )
    out: list[Event] = []
    made.release("/r/d/f", out)
    assert [(e.kind, e.path) for e in out] == [
        (Kind.CREATED, "/r/d"),
        (Kind.CREATED, "/r/d/f"),
    ]
    assert not held


def test_what_was_reported_in_a_directory_goes_before_it_and_is_new_if_there() -> None:
    made, held = releasing(
        d=change(existed=True, is_dir=True, exists=False),
        d_e=change(existed=True, is_dir=True, exists=False),
        d_e_f=change(existed=True),
    )
    out: list[Event] = []
    made.release("/r/d", out)
    assert [(e.kind, e.path) for e in out] == [
        (Kind.DELETED, "/r/d/e/f"),
        (Kind.DELETED, "/r/d/e"),
        (Kind.DELETED, "/r/d"),
    ]
    out.clear()
    made.release("/r/d/e/f", out)
    made.release("/r/d/e", out)
    assert [(e.kind, e.path) for e in out] == [(Kind.CREATED, "/r/d/e/f")]
    assert not held


def test_a_file_leaves_a_directory_before_that_goes() -> None:
    moved = change(existed=False)
    moved.source = "/r/d/f"
    made, _ = releasing(d=change(existed=True, is_dir=True, exists=False), g=moved)
    out: list[Event] = []
    made.release("/r/d", out)
    assert out == [
        Event(Kind.MOVED, "/r/d/f", "/r/g"),
        Event(Kind.DELETED, "/r/d", None, True),
    ]


def test_what_is_closed_is_held_no_more() -> None:
    made, held = releasing(f=change(existed=True))
    (one,) = held.values()
    made.close(one)
    assert not one.is_open
    assert not held
