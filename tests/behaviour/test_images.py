"""File systems whose times do not say what changed: images that are exchanged."""

import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

import gamin
from gamin import Kind
from testkit.images import can_make_images, make_image, mounted
from testkit.remembering import remembering
from testkit.watches import signal_server

pytestmark = pytest.mark.skipif(
    not can_make_images(), reason="needs squashfs, its tools, and the right to mount"
)


def test_everything_is_listed_after_an_image_was_exchanged(
    tmp_path: Path, session: str
) -> None:
    """The same device, inodes, names and ctimes, and another content."""
    images = []
    for content in ("one", "two"):
        folder = tmp_path / content
        folder.mkdir()
        (folder / "file").write_text(content)
        images.append(make_image(folder))
    point = tmp_path / "point"
    with remembering(session, tmp_path / "state"), ExitStack() as stack:
        try:
            stack.enter_context(mounted(images[0], point))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no image can be mounted: {error.stderr!r}")
        _, clock = gamin.changes(point, since=None)
        before = (point / "file").stat()
        signal_server(signal.SIGTERM, ends=True)
        stack.close()
        stack.enter_context(mounted(images[1], point))
        after = (point / "file").stat()
        assert (after.st_ino, after.st_ctime) == (before.st_ino, before.st_ctime)
        reported, _ = gamin.changes(point, since=clock)
    assert [(e.kind, e.path, e.recovered) for e in reported] == [
        (Kind.EXISTS, str(point / "file"), True)
    ]
