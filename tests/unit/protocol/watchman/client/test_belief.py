from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.errors import RemoteProtocolError
from gamin.events import Kind
from gamin.protocol.watchman.client.belief import Belief, Difference, difference
from gamin.protocol.watchman.codec.compact import WireRow

# Every path of a small world, parents first.
PATHS = [
    "/".join(parts) for depth in (1, 2, 3) for parts in product("ab", repeat=depth)
]
World = dict[str, bool]
"""Path to whether it is a directory: what a belief has to know, written plainly."""


def row(
    kind: str, name: str, is_dir: bool = False, source: str | None = None
) -> WireRow:
    return Kind(kind), name, is_dir, source


def known(belief: Belief) -> World:
    return dict(belief.walk())


def differs(**lists: Any) -> Difference:
    return Difference([], [], [], [])._replace(**lists)


def pictured(world: World) -> Belief:
    """As a server would send it."""
    folders: dict[str, list[str]] = {"": []}
    for path in sorted(world):
        folder, _, name = path.rpartition("/")
        folders[folder].append(name)
        if world[path]:
            folders[path] = []
    return Belief({folder: "/".join(names) for folder, names in folders.items()})


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world: World = {}
    for path in PATHS:
        folder = path.rpartition("/")[0]
        if (not folder or world.get(folder)) and draw(st.booleans()):
            world[path] = draw(st.booleans())
    return world


def test_all_that_was_listed_is_known_parents_first() -> None:
    belief = Belief({"": "d/f", "d": "e/g", "d/e": "h"})
    assert list(belief.walk()) == [
        ("", True),
        ("d", True),
        ("f", False),
        ("d/e", True),
        ("d/g", False),
        ("d/e/h", False),
    ]


def test_an_unlisted_directory_is_still_a_directory() -> None:
    belief = Belief({"": "dark", "dark": None})
    assert known(belief) == {"": True, "dark": True}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param({"names": None}, {}, id="missing"),
        pytest.param({"names": "", "is_file": True}, {"": False}, id="a file"),
        pytest.param({"names": "//"}, {"": True}, id="an empty directory"),
        pytest.param(
            {"names": "//\udcff/new\nline"},
            {"": True, "\udcff": False, "new\nline": False},
            id="names of all sorts",
        ),
    ],
)
def test_a_message_gives_its_entries(
    message: Mapping[str, Any], expected: World
) -> None:
    assert known(Belief.read(message)) == expected


@pytest.mark.parametrize("names", [5, "a/b", ["a"], {"": "a"}])
def test_names_that_are_none_are_refused(names: object) -> None:
    with pytest.raises(RemoteProtocolError):
        Belief.read({"names": names})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([row("created", "n")], {"d", "d/f", "n"}, id="a file comes"),
        pytest.param(
            [row("created", "n", True), row("created", "n/m")],
            {"d", "d/f", "n", "n/m"},
            id="a directory comes",
        ),
        pytest.param([row("changed", "d/f")], {"d", "d/f"}, id="nothing comes or goes"),
        pytest.param([row("deleted", "d", True)], set(), id="a directory goes"),
        pytest.param(
            [row("moved", "e", True, "d")], {"e", "e/f"}, id="a directory is renamed"
        ),
        pytest.param(
            [row("created", "n"), row("moved", "d/f", False, "n")],
            {"d", "d/f"},
            id="a file is replaced",
        ),
        pytest.param([row("deleted", "", True)], set(), id="the path itself goes"),
        pytest.param(
            [
                row("deleted", "", True),
                row("created", "", True),
                row("created", "g"),
            ],
            {"g"},
            id="the path itself is another one",
        ),
    ],
)
def test_reported_rows_are_applied(rows: list[Any], expected: set[str]) -> None:
    belief = Belief({"": "d", "d": "f"})
    belief.apply(rows)
    assert known(belief).keys() - {""} == expected


def test_the_path_itself_can_become_a_file() -> None:
    belief = Belief({"": "d", "d": "f"})
    belief.apply([row("deleted", "", True)])
    assert belief.is_missing
    belief.apply([row("created", "")])
    assert known(belief) == {"": False}


@given(worlds(), worlds())
def test_applying_the_difference_makes_one_belief_the_other(
    old: World, new: World
) -> None:
    belief = pictured(old)
    found = difference(belief, pictured(new))
    belief.apply(row("deleted", *entry) for entry in found.deleted)
    belief.apply(row("created", *entry) for entry in found.created)
    assert known(belief) == {"": True, **new}


@given(worlds(), worlds())
def test_a_difference_names_what_differs_and_keeps_files(
    old: World, new: World
) -> None:
    found = difference(pictured(old), pictured(new))
    assert dict(found.deleted).items() == old.items() - new.items()
    assert dict(found.created).items() == new.items() - old.items()
    same = old.items() & new.items()
    assert sorted(found.common) == sorted(path for path, is_dir in same if not is_dir)


@given(worlds(), worlds())
def test_children_are_deleted_before_and_created_after_their_parents(
    old: World, new: World
) -> None:
    found = difference(pictured(old), pictured(new))
    deleted = [name for name, _ in found.deleted]
    created = [name for name, _ in found.created]
    for order in (deleted[::-1], created):
        for position, name in enumerate(order):
            assert name.rpartition("/")[0] not in order[position:]


@given(worlds(), st.data())
def test_a_rename_moves_all_that_is_below(world: World, data: st.DataObject) -> None:
    if not world:
        return
    source = data.draw(st.sampled_from(sorted(world)))
    belief = pictured(world)
    belief.apply([row("moved", "new", world[source], source)])
    below = (source, source + "/")
    expected = {
        "new" + path[len(source) :] if path.startswith(below[1]) else path: is_dir
        for path, is_dir in world.items()
        if path != source
    }
    assert known(belief) == {"": True, "new": world[source], **expected}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param(
            Belief(),
            Belief(is_file=True),
            differs(created=[("", False)]),
            id="a file appears",
        ),
        pytest.param(
            Belief({"": "f"}),
            Belief(),
            differs(deleted=[("f", False), ("", True)]),
            id="a directory is gone",
        ),
        pytest.param(
            Belief({"": "f"}),
            Belief(is_file=True),
            differs(deleted=[("f", False), ("", True)], created=[("", False)]),
            id="a file instead of a directory",
        ),
        pytest.param(
            Belief(is_file=True),
            Belief(is_file=True),
            differs(common=[""]),
            id="a file still",
        ),
        pytest.param(Belief(), Belief(), differs(), id="missing still"),
    ],
)
def test_the_path_itself_can_differ(
    before: Belief, now: Belief, expected: Difference
) -> None:
    assert difference(before, now) == expected


@pytest.mark.parametrize("name", ["x/f", "x/y/f", "d/x/f", "f/g"])
def test_a_deletion_below_an_unknown_directory_changes_nothing(name: str) -> None:
    belief = Belief({"": "d/f", "d": ""})
    belief.apply([row("deleted", name)])
    assert known(belief) == {"": True, "d": True, "f": False}
    assert not belief.is_folder(name.rpartition("/")[0])


def test_a_deletion_below_a_missing_path_leaves_it_missing() -> None:
    belief = Belief()
    belief.apply([row("deleted", "f")])
    assert belief.is_missing


def test_a_created_file_ends_a_directory_of_the_same_name() -> None:
    belief = Belief({"": "d", "d": "e", "d/e": "f"})
    belief.apply([row("created", "d")])
    assert known(belief) == {"": True, "d": False}
    assert not belief.is_folder("d/e")


def test_a_file_renamed_to_a_directorys_name_ends_the_directory() -> None:
    belief = Belief({"": "d/f", "d": "e"})
    belief.apply([row("moved", "d", source="f")])
    assert known(belief) == {"": True, "d": False}


def test_a_file_is_an_entry_that_is_no_directory() -> None:
    belief = Belief({"": "file/sub", "sub": "inner"})
    there = [
        name
        for name in ("file", "sub", "sub/inner", "x", "x/y")
        if belief.has_file(name)
    ]
    assert there == ["file", "sub/inner"]
