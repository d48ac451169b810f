"""Loads a saved tree a little at a time.

`find` and `read` read the file, and may wait for it; `take` and `restoring` only
compute. So the caller decides which thread does what, and when others get their turn.
"""

from collections.abc import Iterator

from gamin.core.model.belief import Belief, Dangling, DirectoryBelief, Restoring
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
        self._known: dict[int, DirectoryBelief] = {}
        self._identities: dict[int, Identity | None] = {}
        self._restoring: Restoring | None = None

    def find(self) -> Header | None:
        """Read the header; None if the tree is not kept. Raises Unusable."""
        self._kept = self._store.find(self._generation, self._key)
        return None if self._kept is None else self._kept.header

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
        """Unpack what was read. Raises Unusable."""
        self._chain = chained(self._chain, chunk)
        try:
            directories = unpack(chunk)
        except Damaged as error:
            raise self._store.damaged(str(error)) from error
        for identity, known in directories:
            self._known[known.number] = known
            self._identities[known.number] = identity

    def restoring(self) -> Iterator[None]:
        """Make the directories of what was taken, after all was. Raises Unusable."""
        if self._kept is None or self._chain != self._kept.base.chain:
            raise self._store.damaged("a part of a tree is another one")
        header = self._kept.header
        known, self._known = tuple(self._known.values()), {}
        belief = Belief(header.tick, header.floor, header.top, known)
        self._restoring = Restoring(belief)
        try:
            yield from self._restoring.steps()
        except Dangling as error:
            path = self._store.place.path
            raise Unusable(f"{path}: a tree in it lacks a directory") from error

    def tree(self) -> SavedTree:
        """The tree, after it was restored."""
        assert self._kept is not None
        assert self._restoring is not None
        nodes = self._restoring.nodes
        identities = {
            nodes[number]: identity
            for number, identity in self._identities.items()
            if identity is not None and number in nodes
        }
        return SavedTree(self._kept.header, self._restoring.top, identities)


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
