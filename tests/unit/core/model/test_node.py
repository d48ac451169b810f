from gamin.core.model.node import FILE, SUBDIR, Baseline, Node, new_baseline


def directory(parent: Node, name: bytes) -> Node:
    node = parent.names[name] = Node(parent, name)
    node.listed = True
    return node


def test_a_node_knows_its_path() -> None:
    root = Node(None, b"")
    a = Node(root, b"a")
    assert root.path() == b"/"
    assert Node(a, b"b").path() == b"/a/b"
    assert Node(a, b"b").path_prefix() == b"/a/b/"


def test_the_path_of_2000_levels_is_found() -> None:
    node = Node(None, b"")
    for _ in range(2000):
        child = Node(node, b"d")
        node.names[b"d"] = child
        node = child
    assert node.path() == b"/d" * 2000


def test_published_entries_are_the_names_without_deferred_changes() -> None:
    node = Node(None, b"")
    node.names = {b"old": FILE, b"new": FILE}
    node.deferred = {
        b"new": Baseline(None, False, 0, None),
        b"gone": Baseline(False, True, 0, None),
        b"sub": Baseline(True, True, 0, None),
    }
    assert node.published_entries() == {b"old": FILE, b"gone": FILE, b"sub": SUBDIR}


def test_a_new_baseline_is_one_that_the_class_makes() -> None:
    made = new_baseline((True, False, 3, None))
    assert type(made) is Baseline
    assert made == Baseline(True, False, 3, None)


def test_names_are_packed_until_one_is_asked_for() -> None:
    node = Node(None, b"")
    node.packed = b"a/\xff"
    assert node.is_packed
    assert not any(node.children())
    assert node.child(b"a") is None
    assert node.is_packed
    assert node.names == {b"a": FILE, b"\xff": FILE}
    assert not node.is_packed
    del node.names[b"a"]
    assert node.names == {b"\xff": FILE}


def test_a_directory_without_entries_has_no_names() -> None:
    assert Node(None, b"").names == {}


def test_packed_names_are_compared_without_unpacking() -> None:
    node = Node(None, b"")
    assert node.has_just([])
    node.packed = b"a/b"
    assert node.has_just([b"a", b"b"])
    assert not node.has_just([b"a"])
    assert not node.has_just([])
    node.names[b"c"] = SUBDIR
    assert not node.has_just([b"a", b"b"])


def test_an_entry_of_a_packed_directory_is_found_and_the_rest_stays_packed() -> None:
    node = Node(None, b"")
    assert not node.has(b"a")
    node.packed = b"first/.a/b.c/last"
    assert all(node.has(name) for name in (b"first", b".a", b"b.c", b"last"))
    assert not any(node.has(name) for name in (b"a", b"b", b"c", b"irst", b"las"))
    assert node.is_packed
    node.names[b"sub"] = SUBDIR
    assert node.has(b"sub")
    assert node.has(b"last")
    assert not node.has(b"a")


def test_a_path_is_right_whatever_path_was_computed_before() -> None:
    root = Node(None, b"")
    below = directory(directory(root, b"a"), b"b")
    assert below.path() == b"/a/b"
    assert below.prefix is None  # not worth keeping for its own sake
    assert below.path_prefix() == b"/a/b/"
    assert below.path() == b"/a/b"
    assert root.path() == b"/"
