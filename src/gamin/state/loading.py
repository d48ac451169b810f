"""Loads a saved tree a little at a time.

`find` and `read` read the file, and may wait for it; `take` and `restoring` only
compute. So the caller decides which thread does what, and when others get their turn.
"""

from collections.abc import Iterator

from gamin.core.model.belief import Dangling, Restoring
from gamin.core.model.node import Node
from gamin.state.place import Unusable
from gamin.state.saved import Damaged, Header, Identity, chained, unpack
from gamin.state.store import Generation, Kept, Store

CHUNKS_PER_READ = 16
"""Some 100 KB, read in well under a millisecond from a file that is cached."""


class SavedTree:
    """A tree as an earlier server knew it."""

    def __init__(
        self, header: Header, top: Node, identities: dict[Node, Identity]
    ) -> None:
        self.header = header
        self.top = top
        self.identities = identities
        """Of the directories for which it is known for certain."""


class Loading:
    def __init__(self, store: Store, generation: Generation, key: bytes) -> None:
        self._store = store
        self._generation = generation
        self._key = key
        self._kept: Kept | None = None
        self._chain = b""
        self._read = 0
        self._identities: dict[int, Identity] = {}
        self._file_systems: dict[int, int] = {}
        """One object for the id of each, which is in every identity."""
        self._restoring: Restoring | None = None

    def find(self) -> Header | None:
        """Read the header; None if the tree is not kept. Raises Unusable."""
        self._kept = self._store.find(self._generation, self._key)
        if self._kept is None:
            return None
        self._restoring = Restoring(self._kept.header.top)
        return self._kept.header

    def read(self) -> list[bytes]:
        """The next chunks; none after the last one. Raises Unusable."""
        if self._kept is None or self._read >= self._kept.base.chunks:
            return []
        chunks = self._store.chunks(self._generation, self._read, CHUNKS_PER_READ)
        self._read += len(chunks)
        if not chunks:
            raise self._store.damaged("a part of a tree is missing")
        return chunks

    def take(self, chunk: bytes) -> None:
        """Make the directories of what was read. Raises Unusable."""
        assert self._restoring is not None
        self._chain = chained(self._chain, chunk)
        try:
            directories = unpack(chunk)
        except Damaged as error:
            raise self._store.damaged(str(error)) from error
        for identity, known in directories:
            self._restoring.add(known)
            self._identities.pop(known.number, None)
            if identity is not None:
                file_system, inode = identity
                file_system = self._file_systems.setdefault(file_system, file_system)
                self._identities[known.number] = file_system, inode

    def restoring(self) -> Iterator[None]:
        """Link the directories of what was taken, after all was. Raises Unusable."""
        if self._kept is None or self._restoring is None:
            return
        if self._chain != self._kept.base.chain:
            raise self._store.damaged("a part of a tree is another one")
        try:
            yield from self._restoring.steps()
        except Dangling as error:
            path = self._store.place.path
            raise Unusable(f"{path}: a tree in it lacks a directory") from error

    def tree(self) -> SavedTree:
        """The tree, after it was restored."""
        assert self._kept is not None
        assert self._restoring is not None
        nodes, identities = self._restoring.nodes, self._identities
        known = {nodes[n]: identities[n] for n in identities.keys() & nodes.keys()}
        self._identities = {}
        return SavedTree(self._kept.header, self._restoring.top, known)


def load(store: Store, generation: Generation, key: bytes) -> SavedTree | None:
    """A tree, loaded in one go. Raises Unusable."""
    loading = Loading(store, generation, key)
    if loading.find() is None:
        return None
    while chunks := loading.read():
        for chunk in chunks:
            loading.take(chunk)
    for _ in loading.restoring():
        pass
    return loading.tree()
