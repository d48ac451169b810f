"""What is behind symbolic links to directories, under the names of the links."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import gamin
from gamin import Kind, Watch
from gamin.client.links import endless_left_out, links_among, links_below
from testkit.watches import SOON, created, deleted, exists, kill_server, until

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    return tree


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A directory elsewhere, with another one in it."""
    target = tmp_path / "target"
    (target / "deep").mkdir(parents=True)
    return target


@pytest.fixture
def following(tree: Path, target: Path) -> Iterator[Watch]:
    (tree / "sub").mkdir()
    (tree / "sub" / "link").symlink_to(target)
    with gamin.watch(tree, follow_symlinks=True, timeout=SOON) as watch:
        yield watch


def test_changes_behind_a_link_have_the_name_of_the_link(
    following: Watch, tree: Path, target: Path
) -> None:
    (target / "deep" / "f").touch()
    assert next(following) == [created(tree / "sub/link/deep/f")]


def test_links_are_not_followed_by_default(tree: Path, target: Path) -> None:
    (tree / "link").symlink_to(target)
    with gamin.watch(tree, timeout=SOON) as watch:
        (target / "f").touch()
        (tree / "last").touch()
        assert next(watch) == [created(tree / "last")]


def test_a_directory_behind_two_links_is_reported_under_both_names(
    following: Watch, tree: Path, target: Path
) -> None:
    (tree / "other").symlink_to(target)
    until(following, created(tree / "other/deep", is_dir=True))
    (target / "f").touch()
    until(following, created(tree / "sub/link/f"), created(tree / "other/f"))


def test_what_is_behind_a_new_link_is_created(
    tree: Path, target: Path, tmp_path: Path
) -> None:
    (target / "f").touch()
    (target / "inner").symlink_to(tmp_path / "second")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "g").touch()
    with gamin.watch(tree, follow_symlinks=True, timeout=SOON) as watch:
        (tree / "link").symlink_to(target)
        until(watch, created(tree / "link/f"), created(tree / "link/inner/g"))


def test_links_in_a_renamed_directory_are_followed_at_its_new_place(
    following: Watch, tree: Path, target: Path
) -> None:
    (tree / "sub").rename(tree / "new")
    until(following, created(tree / "new/link/deep", is_dir=True))
    (target / "f").touch()
    assert until(following, created(tree / "new/link/f")) == [
        created(tree / "new/link/f")
    ]


def test_a_link_that_is_gone_is_not_followed(
    following: Watch, tree: Path, target: Path
) -> None:
    (tree / "sub" / "link").unlink()
    assert deleted(tree / "sub/link") in until(following, deleted(tree / "sub/link"))
    (target / "f").touch()
    (tree / "last").touch()
    assert next(following) == [created(tree / "last")]


def test_a_link_that_leads_elsewhere_now_is_followed_there(
    following: Watch, tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "e").touch()
    (tree / "again").symlink_to(tmp_path / "elsewhere")
    (tree / "again").rename(tree / "sub" / "link")
    until(following, created(tree / "sub/link/e"))


def test_links_that_contain_themselves_are_left_alone(tree: Path, target: Path) -> None:
    (tree / "up").symlink_to("..")
    (tree / "self").symlink_to(tree)
    (tree / "link").symlink_to(target)
    (target / "back").symlink_to(tree)
    with gamin.watch(tree, follow_symlinks=True, initial=True, timeout=SOON) as watch:
        wanted = exists(tree / "link/deep", is_dir=True)
        paths = {event.path for event in until(watch, wanted)}
    assert str(tree / "self") in paths
    assert not any(path.startswith(f"{tree}/self/") for path in paths)
    assert not any(path.startswith(f"{tree}/link/back/") for path in paths)


def test_a_clock_is_that_of_the_paths_alone(following: Watch) -> None:
    assert following.clock is not None
    assert "," not in following.clock


def test_what_happened_behind_a_link_without_a_server_is_recovered(
    own_server: None, tree: Path, target: Path
) -> None:
    (tree / "link").symlink_to(target)
    with gamin.watch(tree, follow_symlinks=True, timeout=SOON) as watch:
        kill_server()
        (target / "f").touch()
        found: list[Kind] = []
        while not found:
            path = str(tree / "link/f")
            found = [event.kind for event in next(watch) if event.path == path]
        assert found == [Kind.CREATED]


def test_only_links_to_directories_that_are_known_are_found(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "f").touch()
    (tmp_path / "to_f").symlink_to("f")
    (tmp_path / "broken").symlink_to("nowhere")
    for name in ("known", "unknown"):
        (tmp_path / name).symlink_to("d")
    known = frozenset(("to_f", "broken", "known", "d"))
    found = links_below(str(tmp_path), [("", known), ("missing", known)])
    assert found == [str(tmp_path / "known")]
    paths = [str(tmp_path / name) for name in sorted(os.listdir(tmp_path))]
    assert links_among(paths) == [str(tmp_path / "known"), str(tmp_path / "unknown")]


def test_a_link_is_endless_by_whatever_path_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "to_b").symlink_to("../b")
    (tmp_path / "b" / "to_a").symlink_to("../a")
    first, second = str(tmp_path / "a/to_b"), str(tmp_path / "a/to_b/to_a")
    tops = [str(tmp_path / "a"), first]
    assert endless_left_out([first, second], tops) == [first]
