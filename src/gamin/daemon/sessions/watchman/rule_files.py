"""Reads the ignore files of all roots, watches them, and reads them again on a change.

`ignore_files` says which files within a tree hold rules, `git_rules` which files
outside of it; the core applies what they say now.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from gamin.core.effects import Deliver, Listing, Trace
from gamin.core.model.node import Node
from gamin.core.model.subscription import Scope, Subscription
from gamin.daemon.sessions.hub import Service
from gamin.daemon.sessions.watchman.git_repository import repository_at
from gamin.daemon.sessions.watchman.git_rules import (
    Home,
    OutsideRules,
    above,
    mark_of_top,
    no_repository,
    of_repository,
)
from gamin.daemon.sessions.watchman.ignore_files import (
    drop_rules,
    load_existing,
    load_listed,
    may_change_rules,
    rules_to_load,
)
from gamin.events import Row
from gamin.paths import is_within, join, parent, printable, relative
from gamin.patterns.ignore_rules import IgnoreRules

logger = logging.getLogger(__name__)

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
        self._unread: list[tuple[Subscription, IgnoreRules, Row]] = []
        """Delivered rows that may have changed ignore files within a tree."""

    def __str__(self) -> str:
        return "ignore files"

    # -- a root begins and ends

    def rules_for(self, path: bytes, globs: Sequence[bytes]) -> IgnoreRules:
        """The rules of a tree that follows ignore files; `path` has no symlinks.

        They know already what other roots had listed there.
        """
        rules = IgnoreRules(globs, vcs=True, base=path.lstrip(b"/"))
        rules.on_refused = _log_refused
        for rule in above(path, self._home).rules:
            rules.load(*rule)
        top = self._service.monitor.tree.find(path)
        if top is not None:
            load_existing(rules, top, self._home)
        return rules

    def follow(self, root: Subscription, path: bytes, rules: IgnoreRules) -> None:
        """Follow the files outside of the tree from now on."""
        self._followed[root] = _Followed(path, rules, {}, set())
        self._follow_files(root, above(path, self._home).files)

    def drop(self, root: Subscription) -> None:
        """The root ends."""
        followed = self._followed.pop(root, None)
        self._changed.pop(root, None)
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

    def _load(self, node: Node, names: Sequence[bytes], *, is_top: bool) -> None:
        starts = [s for s in node.subscriptions or () if s in self._followed]
        trees = self._service.monitor.covering(node)
        for root in dict.fromkeys((*starts, *trees)):
            load_listed(root, node, names, self._home)
            if is_top:
                self._may_be_top(root, node.path())

    def _may_be_top(self, root: Subscription, directory: bytes) -> None:
        """The directory has, or had, an entry `.git`; its own exclude files are to be
        followed, if it is a repository."""
        followed = self._followed.get(root)
        if followed is not None:
            if directory != followed.path and is_within(directory, followed.path):
                followed.inner.add(relative(directory, followed.path))
            self._changed[root] = None

    def delivered(self, root: Subscription, rows: Sequence[Row]) -> None:
        """Clients of the root get these rows; ignore files may be among them."""
        rules = root.ignore
        if isinstance(rules, IgnoreRules):
            found = [row for row in rows if may_change_rules(row)]
            self._unread += [(root, rules, row) for row in found]
            for row in found:
                if row.path.endswith(b"/.git"):
                    self._may_be_top(root, parent(row.path))
                elif not row.path and root in self._followed:
                    self._changed[root] = None  # the path leads elsewhere

    def reread(self) -> None:
        """Read what may have changed, when everything before it was delivered: what is
        delivered now is the difference from that."""
        tree = self._service.monitor.tree
        while self._unread or self._changed:
            unread, self._unread = self._unread, []
            for root, rules, row in unread:
                for rule in rules_to_load(root, rules, tree, row, self._home):
                    self._service.rules_changed(root, *rule)
                drop_rules(root, rules, tree, row)
            changed, self._changed = self._changed, {}
            for root in changed:
                self._reread_outside(root)

    def _reread_outside(self, root: Subscription) -> None:
        followed = self._followed[root]
        followed.inner.update(followed.rules.tops_below())
        files: list[bytes] = []
        for outside in (above(followed.path, self._home), *self._of_inner(followed)):
            for rule in outside.rules:
                self._service.rules_changed(root, *rule)
            files += outside.files
        self._follow_files(root, files)

    def _of_inner(self, followed: _Followed) -> Iterator[OutsideRules]:
        """What the repositories in the tree take from their own exclude files."""
        for directory in sorted(followed.inner):
            place = join(followed.path, directory)
            mark = mark_of_top(place)
            repository = repository_at(place)
            if repository is not None:
                yield OutsideRules((), (mark,))
                yield of_repository(repository, directory, self._home)
            else:
                if not os.path.lexists(join(place, b".git")):
                    followed.inner.discard(directory)
                yield OutsideRules(tuple(no_repository(directory)), (mark,))

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
