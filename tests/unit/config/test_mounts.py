import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.config.mounts import NOWHERE, Mount, Mounts, layers, parse

TYPICAL = rb"""27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
40 27 0:40 / /home rw shared:1 master:2 - nfs4 server:/home rw,vers=4.2
41 40 0:41 / /home/me/usb\040stick rw - vfat /dev/sdb1 rw
"""


def mount(id_: int, on: int, point: bytes, type_: str = "ext4") -> Mount:
    return Mount(point, type_, id=b"%d" % id_, parent=b"%d" % on)


def test_a_line_of_mountinfo_is_taken_apart() -> None:
    *_, home, stick = parse(TYPICAL)
    assert home == Mount(
        b"/home", "nfs4", (b"rw", b"vers=4.2"), b"server:/home", b"40", b"27"
    )
    assert stick.point == b"/home/me/usb stick"


def test_optional_fields_may_be_absent_or_many() -> None:
    assert [m.type for m in parse(TYPICAL)] == ["ext4", "proc", "nfs4", "vfat"]


def test_an_empty_source_keeps_its_place() -> None:
    (found,) = parse(b"1 0 0:1 / /a rw - tmpfs  rw,size=4k")
    assert (found.type, found.source, found.options[1]) == ("tmpfs", b"", b"size=4k")


def test_a_carriage_return_in_a_name_ends_no_line() -> None:
    (found,) = parse(b"1 0 0:1 / /a\rb rw - tmpfs none rw")
    assert found.point == b"/a\rb"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"x",
        b"1 0 0:1 / /a rw",
        b"1 0 0:1 / /a rw - tmpfs",
        b"1 0 0 / a rw - t s o",
    ],
)
def test_a_line_that_is_not_understood_is_left_out(line: bytes) -> None:
    assert list(parse(line)) == []


@given(st.binary())
def test_any_bytes_are_survived(text: bytes) -> None:
    Mounts(parse(text)).of(text)


# Lines that look right but whose numbers and places contradict each other.
lines = st.builds(
    b"%d %d 0:1 / /%s rw - overlay x lowerdir=/%s".__mod__,
    st.tuples(
        st.integers(0, 5),
        st.integers(0, 5),
        st.sampled_from([b"", b"a", b"a/b", b"a/b/c", rb"\777"]),
        st.sampled_from([b"a", b"a/b:/a", b"\\", b""]),
    ),
)


@given(st.lists(lines), st.sampled_from([b"/", b"/a", b"/a/b/c/d", b"a", b"//"]))
def test_contradictions_end_nowhere_but_end(text: list[bytes], path: bytes) -> None:
    mounts = Mounts(parse(b"\n".join(text)))
    mounts.is_remote(mounts.of(path))
    assert path not in mounts.points_below(path)


@pytest.mark.parametrize(
    ("path", "point"),
    [
        (b"/home", b"/home"),
        (b"/home/", b"/home"),
        (b"/home//me/x", b"/home"),
        (b"/home/me/usb stick/x", b"/home/me/usb stick"),
        (b"/home/me/usb stick2", b"/home"),
        (b"/homer", b"/"),
        (b"/", b"/"),
    ],
)
def test_a_path_lies_on_the_mount_with_the_longest_leading_part(
    path: bytes, point: bytes
) -> None:
    assert Mounts(parse(TYPICAL)).of(path).point == point


def test_a_path_is_on_no_mount_if_there_are_none() -> None:
    assert Mounts().of(b"/a/b") is NOWHERE


def test_the_later_of_two_mounts_on_one_point_is_on_top() -> None:
    below, above = mount(2, 1, b"/a", "ext4"), mount(3, 2, b"/a", "nfs")
    assert Mounts([mount(1, 0, b"/"), below, above]).of(b"/a/b") is above


def test_a_mount_buried_by_one_nearer_to_the_root_is_not_found() -> None:
    root, old = mount(1, 0, b"/"), mount(2, 1, b"/a/b", "nfs")
    on_old, cover = mount(3, 2, b"/a/b/c"), mount(4, 1, b"/a", "tmpfs")
    mounts = Mounts([root, old, on_old, cover])
    assert mounts.of(b"/a/b/c") is cover
    assert list(mounts) == [root, cover]


def test_a_mount_on_the_covering_one_is_found() -> None:
    root, old, cover = mount(1, 0, b"/"), mount(2, 1, b"/a/b"), mount(4, 1, b"/a")
    new = mount(5, 4, b"/a/b")
    assert Mounts([root, old, cover, new]).of(b"/a/b") is new


def test_in_a_changed_root_several_mounts_have_an_unseen_parent() -> None:
    proc, sys = mount(2, 1, b"/proc"), mount(3, 1, b"/sys")
    assert list(Mounts([proc, sys])) == [proc, sys]


def test_the_points_below_a_directory_leave_out_itself_and_its_siblings() -> None:
    mounts = Mounts(parse(TYPICAL))
    assert mounts.points_below(b"/home") == (b"/home/me/usb stick",)
    assert mounts.points_below(b"/hom") == ()
    assert mounts.points_below(b"/") == (b"/home", b"/home/me/usb stick", b"/proc")


@pytest.mark.parametrize(
    ("type_", "remote"),
    [
        ("nfs", True),
        ("cifs", True),
        ("9p", True),
        ("virtiofs", True),
        ("fuse.sshfs", True),
        ("fuse", True),
        ("fuse.mergerfs", True),
        ("fuse.squashfuse", False),
        ("fuseblk", False),
        ("fused", False),
        ("ext4", False),
        ("tmpfs", False),
        ("overlay", False),
    ],
)
def test_network_file_systems_are_remote(type_: str, remote: bool) -> None:
    assert Mounts().is_remote(Mount(b"/", type_)) is remote


@pytest.mark.parametrize(
    ("type_", "local"),
    [
        ("ext4", True),
        ("tmpfs", True),
        ("autofs", False),
        ("nfs4", False),
        ("9p", False),
        ("fuse", False),
        ("fuse.squashfuse", False),
        ("fuseblk", False),
        ("never heard of", False),
    ],
)
def test_local_file_systems_are_answered_by_this_kernel(
    type_: str, local: bool
) -> None:
    assert Mounts().is_local(Mount(b"/", type_)) is local


def test_everything_counts_as_local_without_a_list_of_mounts() -> None:
    assert Mounts().is_local(Mounts().of(b"/any"))


def overlay(options: bytes) -> Mount:
    (found,) = parse(b"9 1 0:9 / /over rw - overlay overlay rw," + options)
    return found


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (b"lowerdir=/l1:/l2,upperdir=/u,workdir=/w", [b"/l1", b"/l2", b"/u"]),
        (b"lowerdir+=/l1,lowerdir+=/l2,datadir+=/d", [b"/l1", b"/l2", b"/d"]),
        (b"lowerdir=/l1::/data", [b"/l1", b"/data"]),
        (rb"lowerdir=/a\134:b:/c", [b"/a:b", b"/c"]),
        (rb"lowerdir=/a\054b\040c", [b"/a,b c"]),
        (b"lowerdir=l/XYZ:/c", [b"/c"]),
    ],
)
def test_the_layers_of_an_overlay(options: bytes, found: list[bytes]) -> None:
    assert list(layers(overlay(options))) == found


def test_an_overlay_is_remote_when_one_of_its_parts_is() -> None:
    nfs = mount(2, 1, b"/net", "nfs")
    mounts = Mounts([mount(1, 0, b"/"), nfs])
    assert mounts.remote_part(overlay(b"lowerdir=/l:/net/l,upperdir=/u")) is nfs
    assert not mounts.is_remote(overlay(b"lowerdir=/l,upperdir=/network"))
    assert not mounts.is_local(overlay(b"lowerdir=/l:/net/l,upperdir=/u"))
    assert mounts.is_local(overlay(b"lowerdir=/l,upperdir=/network"))


def test_an_overlay_that_seems_to_lie_on_itself_is_local() -> None:
    itself = Mount(b"/", "overlay", (b"lowerdir=/var/lib/l",))
    assert not Mounts([itself]).is_remote(itself)


def test_points_of_file_systems_that_the_kernel_makes_up_are_known() -> None:
    assert Mounts(parse(TYPICAL)).pseudo_points() == (b"/proc",)


def test_mounts_are_named_whose_ctimes_do_not_say_what_changed() -> None:
    layered = Mount(b"/live", "overlay", (b"lowerdir=/stick/image", b"upperdir=/up"))
    tree = [
        Mount(b"/", "ext4"),
        Mount(b"/stick", "vfat"),
        Mount(b"/stick/mem", "tmpfs"),
    ]
    mounts = Mounts([*tree, layered])

    def found(path: bytes, *, below: bool) -> list[bytes]:
        return [mount.point for mount in mounts.ctimeless(path, below=below)]

    assert found(b"/stick/a", below=True) == [b"/stick"]
    assert found(b"/stick/mem/a", below=True) == []
    assert found(b"/", below=True) == [b"/live", b"/stick"]
    assert found(b"/", below=False) == []
    assert found(b"/live/a", below=False) == [b"/live"], "a layer of it is on the stick"
