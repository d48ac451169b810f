"""Reads the ignore files of all roots, watches them, and reads them again on a change.

`ignore_files` says which files within a tree hold rules, `git_rules` which files
outside of it; the core applies what they say now.
"""

import logging
import os
from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from gamin.core.effects import Deliver, Listing, Trace
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.io.errands import Steps, aside
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.git_repository import repository_at
from gamin.daemon.sessions.watchman.git_rules import (
    Home,
    OutsideRules,
    Rule,
    above,
    mark_of_top,
    no_repository,
    of_repository,
    read_rules,
)
from gamin.daemon.sessions.watchman.ignore_files import (
    DirectoryRules,
    drop_rules,
    load_changed,
    load_existing,
    load_listed,
    may_change_rules,
    read_directory,
)
from gamin.engine.proxy import Reader
from gamin.events import AnyRow, Kind, Row, as_rows
from gamin.paths import is_within, join, parent, printable, relative
from gamin.patterns.ignore_rules import RULE_FILES, IgnoreRules
from gamin.system import errands
from gamin.system.errands import Distant

logger: logging.Logger = logging.getLogger(__name__)

DOT_GIT = b".git"


class _Followed(NamedTuple):
    """A root whose rules come from outside, too."""

    path: bytes
    """Where the root is, without symlinks."""
    rules: IgnoreRules
    files: dict[bytes, Subscription]
    """One subscription for each file that may change the rules."""
    inner: set[bytes]
    """Directories below the root that had an entry `.git`: each is the top of another
    repository, or may soon be one."""


def _log_refused(place: bytes, name: bytes) -> None:
    logger.warning(
        "%s is not followed: the ignore files of its tree have too many patterns with "
        "wildcards",
        printable(join(b"/" + place, name)),
    )


class RootRules(NamedTuple):
    """What holds in a tree when it begins."""

    path: bytes
    """Where the root is, without symlinks."""
    rules: IgnoreRules
    files: tuple[bytes, ...]
    """Files outside of the tree that may change the rules."""


class RuleFiles:
    """A session without a client: it reads files again when they change."""

    def __init__(self, service: Service, home: Home) -> None:
        self._service = service
        self._home = home
        self._followed: dict[Subscription, _Followed] = {}
        """By the subscription of the root."""
        self._by_file: dict[Subscription, Subscription] = {}
        """The root's subscription, by that of a file."""
        self._changed: dict[Subscription, None] = {}
        """Roots of which a file outside has changed."""
        self._unread: dict[Subscription, list[Row]] = {}
        """By root, delivered rows that may have changed ignore files within its
        tree."""
        self._reading: dict[Subscription, Steps[None]] = {}
        """Roots whose files are being read; that may wait for a mount."""
        self._read: dict[Node, DirectoryRules] = {}
        """What was read in directories that are about to be loaded."""

    def __str__(self) -> str:
        return "ignore files"

    # -- a root begins and ends

    def rules_for(self, path: bytes, globs: Sequence[bytes]) -> Steps[RootRules]:
        """The rules of a tree that follows ignore files; `path` has no symlinks.

        They know already what other roots had listed there.
        """
        rules = IgnoreRules(globs, vcs=True, base=path.lstrip(b"/"))
        rules.on_refused = _log_refused
        outside = yield from aside(partial(above, path, self._home), None)
        for rule in outside.rules:
            rules.load(*rule)
        top = self._service.monitor.tree.find(path)
        if top is not None:
            yield from load_existing(rules, top, self._home)
        return RootRules(path, rules, outside.files)

    def follow(self, root: Subscription, own: RootRules) -> None:
        """Follow the files outside of the tree from now on."""
        self._followed[root] = _Followed(own.path, own.rules, {}, set())
        self._follow_files(root, own.files)

    def drop(self, root: Subscription) -> None:
        """The root ends."""
        followed = self._followed.pop(root, None)
        for register in (self._changed, self._unread, self._reading):
            register.pop(root, None)
        if followed is not None:
            for file in followed.files.values():
                del self._by_file[file]
                self._service.cancel(file)

    def _follow_files(self, root: Subscription, files: Iterable[bytes]) -> None:
        followed = self._followed[root].files
        wanted = dict.fromkeys(files)
        for path in [path for path in followed if path not in wanted]:
            gone = followed.pop(path)
            del self._by_file[gone]
            self._service.cancel(gone)
        for path in wanted:
            if path not in followed:
                number = len(followed)
                file = Subscription(self, number, path, Scope.FILE)
                followed[path] = file
                self._by_file[file] = root
                self._service.subscribe(file)

    # -- what happens within a tree

    def listed(self, listings: Sequence[Listing]) -> None:
        """Directories are about to be loaded: read the rules in them first.

        A change in a directory that was listed before is delivered, and read then.
        """
        if self._followed:
            for (node, _, _), directories, others, _ in listings:
                if not node.listed:
                    is_top = DOT_GIT in directories or DOT_GIT in others
                    names = [*others, DOT_GIT] if is_top else others
                    self._load(node, names, is_top=is_top)
        self._read.clear()

    def _roots_of(self, node: Node) -> list[Subscription]:
        starts = [s for s in node.subscriptions or () if s in self._followed]
        trees = self._service.monitor.covering(node)
        return list(dict.fromkeys((*starts, *trees)))

    def _load(self, node: Node, names: Sequence[bytes], *, is_top: bool) -> None:
        read = self._read.get(node)
        for root in self._roots_of(node):
            try:
                load_listed(root, node, names, self._home, read)
            except Distant:  # nobody knew in time that its rules count
                row = Row(Kind.CREATED, node.path(), True)
                self._unread.setdefault(root, []).append(row)
            if is_top:
                self._may_be_top(root, node.path())

    def reader(self, node: Node) -> Reader | None:
        """What is to be read in a directory when it is scanned, by whoever may wait for
        its mount."""
        if not self._followed or node.listed:
            return None
        if not any(isinstance(r.ignore, IgnoreRules) for r in self._roots_of(node)):
            return None
        home = self._home
        return lambda path, names: read_directory(path, names, home)

    def was_read(self, node: Node, read: object) -> None:
        """What its `reader` returned; `listed` follows."""
        if isinstance(read, DirectoryRules):
            self._read[node] = read

    def _may_be_top(self, root: Subscription, directory: bytes) -> None:
        """The directory has, or had, an entry `.git`; its own exclude files are to be
        followed, if it is a repository."""
        followed = self._followed.get(root)
        if followed is not None:
            if directory != followed.path and is_within(directory, followed.path):
                followed.inner.add(relative(directory, followed.path))
            self._changed[root] = None

    def delivered(self, root: Subscription, rows: Sequence[AnyRow]) -> None:
        """Clients of the root get these rows; ignore files may be among them."""
        rules = root.request.ignore
        if isinstance(rules, IgnoreRules):
            found = [row for row in as_rows(rows) if may_change_rules(row)]
            if found:
                self._unread.setdefault(root, []).extend(found)
            for row in found:
                if row.path.endswith(b"/.git"):
                    self._may_be_top(root, parent(row.path))
                elif not row.path and root in self._followed:
                    self._changed[root] = None  # the path leads elsewhere

    def reread(self) -> None:
        """Read what may have changed, when everything before it was delivered: what is
        delivered now is the difference from that."""
        while (self._unread or self._changed) and (root := self._next()) is not None:
            steps = self._reading[root] = self._reread(root)
            self._go_on(root, steps)

    def _next(self) -> Subscription | None:
        """A root of which something is to be read, and nothing is being read."""
        for register in (self._unread, self._changed):
            for root in register:
                if root not in self._reading:
                    return root
        return None

    def _go_on(self, root: Subscription, steps: Steps[None]) -> None:
        for step in steps:
            if step is not None:
                step(self._service.errands, partial(self._resume, root, steps))
                return
        if self._reading.get(root) is steps:
            del self._reading[root]

    def _resume(self, root: Subscription, steps: Steps[None]) -> None:
        """A thread has read something, unless the root has ended meanwhile."""
        if self._reading.get(root) is steps:
            self._go_on(root, steps)
            self.reread()
            self._service.flush()

    def _reread(self, root: Subscription) -> Steps[None]:
        tree, rules = self._service.monitor.tree, root.ignore
        while root in self._unread or root in self._changed:
            for row in self._unread.pop(root, ()):
                if isinstance(rules, IgnoreRules):
                    yield from load_changed(
                        root, rules, tree, row, self._home, partial(self._load_in, root)
                    )
                    drop_rules(root, rules, tree, row)
            if root in self._changed:
                del self._changed[root]
                yield from self._reread_outside(root)
        yield from self._reread_refused(root)

    def _reread_refused(self, root: Subscription) -> Steps[None]:
        """Load files that were one too many, if others have left room for them."""
        rules, followed = root.ignore, self._followed.get(root)
        if not isinstance(rules, IgnoreRules) or followed is None:
            return
        refused = rules.refused_with_room()
        for directory, name in refused:
            if name in RULE_FILES:
                place = join(followed.path, directory) if directory else followed.path
                read = partial(read_rules, join(place, name))
                text = yield from aside(read, None)
                self._load_in(root, (directory, name, text))
        if any(name not in RULE_FILES for _, name in refused):
            yield from self._reread_outside(root)

    def _load_in(self, root: Subscription, rule: Rule) -> None:
        self._service.rules_changed(root, *rule)

    def _reread_outside(self, root: Subscription) -> Steps[None]:
        followed = self._followed[root]
        followed.inner.update(followed.rules.tops_below())
        files: list[bytes] = []
        outside = yield from aside(partial(above, followed.path, self._home), None)
        inner = yield from aside(partial(self._of_inner, followed), None)
        for each in (outside, *inner):
            for rule in each.rules:
                self._load_in(root, rule)
            files += each.files
        self._follow_files(root, files)

    def _of_inner(self, followed: _Followed) -> list[OutsideRules]:
        """What the repositories in the tree take from their own exclude files."""
        found: list[OutsideRules] = []
        for directory in sorted(followed.inner):
            place = join(followed.path, directory)
            mark = mark_of_top(place)
            repository = repository_at(place)
            if repository is not None:
                found.append(OutsideRules((), (mark,)))
                found.append(of_repository(repository, directory, self._home))
            else:
                dot_git = join(place, b".git")
                if not errands.at(dot_git, partial(os.path.lexists, dot_git)):
                    followed.inner.discard(directory)
                found.append(OutsideRules(tuple(no_repository(directory)), (mark,)))
        return found

    # -- from the core, about the files outside

    def deliver(self, subscription: Subscription, effect: Deliver) -> None:
        root = self._by_file.get(subscription)
        if root is not None:
            self._changed[root] = None

    def ready(self, subscription: Subscription) -> None:
        """The file was read already."""

    def note(self, effect: Trace) -> None:
        """Debug events are for clients; nothing to do."""

    def flush(self) -> None:
        """The round is over: read what was delivered as changed."""
        self.reread()
