"""Watches and lists the directories of a large tree, many in a row.

Only those that are plain: looked at for the first time, and noticed by the kernel
alone. All others are left to the watcher, one by one, and so is what goes wrong.
"""

import os
from collections import deque

from gamin.backends.base import KernelBackend
from gamin.core.effects import Listing, Scan
from gamin.errors import WatchLimitReached
from gamin.system.filesystem import split_entries

MAX_BATCH = 256
"""Directories in a row: about 5 ms."""


def crawl_batch(crawl: deque[Scan], kernel: KernelBackend) -> list[Listing]:
    """List from the beginning of `crawl` what is plain, each watched first.

    Ends before the first that is not, or that could not be watched or listed.
    """
    listings: list[Listing] = []
    try:
        while crawl and len(listings) < MAX_BATCH and crawl[0].is_first_kernel_scan:
            node = crawl[0].node
            kernel.watch(node, node.kernel_mask)
            directories, others = split_entries(os.scandir(node.path()))
            listings.append((crawl.popleft(), directories, others, ()))
    except (OSError, WatchLimitReached):
        pass  # the watcher tries it again, and says what became of it
    return listings
