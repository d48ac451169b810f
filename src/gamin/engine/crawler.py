"""Watches and lists many directories of a large tree in a row.

Only those that are plain: scanned for the first time and detected by the kernel alone.
The executor does all others one by one, and handles errors.
"""

from collections import deque

from gamin.backends.base import KernelBackend
from gamin.core.effects import Listing, Scan
from gamin.engine.ports import FileSystem
from gamin.errors import WatchLimitReached


def crawl_batch(
    crawl: deque[Scan], kernel: KernelBackend, files: FileSystem, most: int
) -> list[Listing]:
    """Watch and then list at most `most` plain directories from the left of `crawl`.

    Stops before the first that is not plain, or that could not be watched or listed;
    that one stays in `crawl`.
    """
    listings: list[Listing] = []
    scan = files.scan
    try:
        while crawl and len(listings) < most and crawl[0].is_first_kernel_scan:
            node = crawl[0].node
            kernel.watch(node, node.kernel_mask)
            directories, others, changed = scan(node.path(), 0)
            listings.append((crawl[0], directories, others, changed))
            crawl.popleft()
    except (OSError, WatchLimitReached, MemoryError):
        pass  # the executor tries it again and reports the error
    return listings
