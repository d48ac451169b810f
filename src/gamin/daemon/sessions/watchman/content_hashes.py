"""The field `content.sha1hex`: what files contain, as a hash.

Files are read by a thread per mount, because reading may take long or for ever; the
answer waits for it, and nobody else does. A tree with files on several mounts is read
by as many threads. Hashes are kept for each root, by what identifies a content: the
inode, the size and the times.
"""

import os
import stat
import threading
from collections.abc import Callable, Generator, Iterator, Sequence

from gamin.daemon.io.loop import Loop
from gamin.daemon.io.worker import Job, Worker
from gamin.paths import printable
from gamin.protocol.watchman.query.file_row import FileRow
from gamin.protocol.watchman.root_config import DEFAULT_MAX_HASHES
from gamin.system import reach
from gamin.system.errands import STALLED_SECONDS

NEAR_BYTES = 1 << 20
"""Bytes that are read at a time; hashing them takes about a millisecond."""
FAR_BYTES = 1 << 16
"""Bytes that are read at a time where a mount may not answer: on a slow network, too,
that takes less time than after which the mount counts as silent."""
MAX_ATTEMPTS = 3
"""How often a file is read that changes meanwhile."""

Content = tuple[int, int, int, int, int]
"""Device, inode, size, and the times (ns) of the content's and the status' change."""


class Reading:
    """Files that are being read, by one job for each mount that they are on."""

    def __init__(self, done: Callable[[], None]) -> None:
        """`done` is called once all jobs have ended."""
        self.jobs: list[Job] = []
        self.workers: dict[bytes, Worker] = {}
        """Those that read files on mounts that may not answer, by the mount's point."""
        self._done = done
        self._ended = 0

    def cancel(self) -> None:
        """Read no more than has begun, and call nobody."""
        for job in self.jobs:
            job.cancel()

    def stalled_point(self) -> bytes | None:
        """The point of a mount that does not answer, and that this waits for."""
        for point, worker in self.workers.items():
            if worker.silent_seconds >= STALLED_SECONDS:
                return point
        return None

    def one_ended(self) -> None:
        self._ended += 1
        if self._ended == len(self.jobs):
            self._done()


class ContentHashes:
    """Those of one root."""

    def __init__(self, loop: Loop, most: int = DEFAULT_MAX_HASHES) -> None:
        """`most` hashes are kept; the one that was used longest ago is dropped
        first."""
        self._loop = loop
        self._most = most
        self._workers: dict[bytes, Worker] = {}
        """By the point of the mount where that may not answer; empty for all others."""
        self._lock = threading.Lock()
        """Held by a thread while it uses what follows."""
        self._known: dict[Content, str] = {}
        """The one that was used longest ago is the first one."""
        self.hits: int = 0
        self.misses: int = 0

    def fill(
        self,
        rows: Sequence[FileRow],
        directory: bytes,
        mount: bytes,
        done: Callable[[], None],
    ) -> Reading:
        """Set the `sha1` of all rows, whose names are relative to the directory (with a
        slash at its end, and no symlink in it). `done` is called when that is so.
        `mount` is the point of the directory's mount, where that may not answer; empty
        for all others."""
        reading = Reading(done)
        for point, its_rows in _by_mount(rows, directory, mount).items():
            worker = self._workers.get(point)
            if worker is None:
                name = f"hash {printable(point)}"
                worker = self._workers[point] = Worker(self._loop, name)
            if point:
                reading.workers[point] = worker
            steps = self._steps(its_rows, directory, FAR_BYTES if point else NEAR_BYTES)
            reading.jobs.append(worker.start(steps, reading.one_ended))
        return reading

    @property
    def kept(self) -> int:
        return len(self._known)

    # -- in the thread

    def _steps(
        self, rows: Sequence[FileRow], directory: bytes, piece_bytes: int
    ) -> Iterator[None]:
        for row in rows:
            if row.exists and not row.is_dir:
                yield from self._fill(row, directory + row.name, piece_bytes)
                yield

    def _fill(self, row: FileRow, path: bytes, piece_bytes: int) -> Iterator[None]:
        try:
            # O_NONBLOCK: opening a named pipe would wait for a writer.
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(path, flags)
        except OSError as error:
            row.sha1 = {"error": f"open: {error.strerror}"}
            return
        try:
            yield from self._hash(row, descriptor, piece_bytes)
        except OSError as error:
            row.sha1 = {"error": f"read: {error.strerror}"}
        finally:
            os.close(descriptor)

    def _hash(self, row: FileRow, descriptor: int, piece_bytes: int) -> Iterator[None]:
        for _ in range(MAX_ATTEMPTS):
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                row.sha1 = {"error": "not a regular file"}
                return
            content = _content(status)
            row.sha1 = self._recalled(content)
            if row.sha1 is not None:
                return
            row.sha1 = yield from _digest(descriptor, piece_bytes)
            if _content(os.fstat(descriptor)) == content:
                self._keep(content, row.sha1)
                return

    def _recalled(self, content: Content) -> str | None:
        with self._lock:
            digest = self._known.pop(content, None)
            if digest is None:
                self.misses += 1
            else:
                self.hits += 1
                self._known[content] = digest
            return digest

    def _keep(self, content: Content, digest: str) -> None:
        with self._lock:
            self._known[content] = digest
            if len(self._known) > self._most:
                del self._known[next(iter(self._known))]


def _by_mount(
    rows: Sequence[FileRow], directory: bytes, mount: bytes
) -> dict[bytes, Sequence[FileRow]]:
    """The rows by the point of their mount, empty for all mounts that surely answer;
    those of the directory's own mount are there in any case."""
    # The innermost mount has the longest path, so it is found first.
    points = sorted(reach.points_below(directory), key=len, reverse=True)
    if not points:
        return {mount: rows}
    prefixes = [(point[len(directory) :] + b"/", point) for point in points]
    found: dict[bytes, list[FileRow]] = {mount: []}
    for row in rows:
        name = row.name + b"/"
        inside = (point for prefix, point in prefixes if name.startswith(prefix))
        found.setdefault(next(inside, mount), []).append(row)
    return dict(found)


def _content(status: os.stat_result) -> Content:
    return (
        *(status.st_dev, status.st_ino, status.st_size),
        *(status.st_mtime_ns, status.st_ctime_ns),
    )


def _digest(descriptor: int, piece_bytes: int) -> Generator[None, None, str]:
    """The hash of the whole file. Yields where others may get their turn."""
    import hashlib  # late: it loads a library of 3 MB

    hashed = hashlib.sha1(usedforsecurity=False)
    os.lseek(descriptor, 0, os.SEEK_SET)
    while piece := os.read(descriptor, piece_bytes):
        hashed.update(piece)
        yield
    return hashed.hexdigest()
