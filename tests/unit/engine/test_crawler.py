import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamin.backends.inotify import InotifyBackend
from gamin.core.effects import Listing, Scan
from gamin.core.model.node import Node
from gamin.engine.crawler import crawl_batch
from gamin.events import CREATE
from gamin.system import filesystem

MOST = 4


@pytest.fixture
def kernel() -> Iterator[InotifyBackend]:
    kernel = InotifyBackend()
    yield kernel
    kernel.close()


def crawled(crawl: deque[Scan], kernel: InotifyBackend) -> list[Listing]:
    return crawl_batch(crawl, kernel, filesystem, MOST)


def work(directory: Path) -> Scan:
    """As the core has a directory scanned for the first time."""
    node = Node(None, b"")
    for name in os.fsencode(directory).split(b"/")[1:]:
        node = Node(node, name)
    node.mask = node.kernel_mask = CREATE
    return Scan(node, None)


def test_each_directory_is_watched_and_listed(
    kernel: InotifyBackend, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("sub")
    first, second = work(tmp_path), work(tmp_path / "sub")
    crawl = deque([first, second])
    (_, directories, others, newer), inner = crawled(crawl, kernel)
    assert directories == [b"sub"]
    assert sorted(others) == [b"file", b"link"]
    assert not newer
    assert inner == (second, [], [], ())
    assert not crawl
    (tmp_path / "sub/new").touch()
    assert [change[0] for change in kernel.drain()] == [second.node]


def test_a_directory_that_cannot_be_listed_stays_in_the_queue(
    kernel: InotifyBackend, tmp_path: Path
) -> None:
    crawl = deque([work(tmp_path), work(tmp_path / "gone"), work(tmp_path)])
    assert len(crawled(crawl, kernel)) == 1
    assert len(crawl) == 2
    assert crawled(crawl, kernel) == []
    assert len(crawl) == 2


def test_a_directory_that_is_not_plain_stays_in_the_queue(
    kernel: InotifyBackend, tmp_path: Path
) -> None:
    polled, listed, verified = (work(tmp_path) for _ in range(3))
    polled.node.poll_mask = CREATE
    listed.node.listed = True
    for each in (polled, listed, verified._replace(changed_since_ns=1)):
        assert crawled(deque([each]), kernel) == []
    assert [share.watches for share in kernel.usage] == [0]


def test_a_batch_has_a_limited_number_of_directories(
    kernel: InotifyBackend, tmp_path: Path
) -> None:
    for number in range(MOST + 1):
        (tmp_path / str(number)).mkdir()
    crawl = deque(work(tmp_path / str(number)) for number in range(MOST + 1))
    assert len(crawled(crawl, kernel)) == MOST
    assert len(crawl) == 1
