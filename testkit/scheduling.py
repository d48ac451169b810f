"""In which processes tests run, and in which order they are handed out."""

import pytest
from xdist.scheduler import LoadGroupScheduling

BY_MODULE = ("tests/unit/", "tests/conventions/")
"""Folders whose tests are so short that handing out each by itself costs more than it
gains: a process gets a whole module."""


class ModuleScheduling(LoadGroupScheduling):  # type: ignore[misc]  # it has no types
    """As `--dist loadgroup`, in the order of collection, and short tests by module."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        super().__init__(config, log)
        # Those with the most tests would come first, and they are not the longest.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        if scope == nodeid and nodeid.startswith(BY_MODULE):
            return nodeid.partition("::")[0]
        return scope
