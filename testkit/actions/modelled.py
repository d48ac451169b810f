"""Random operations on a tree, with a model that says what each must cause.

The model keeps its own picture of the tree, so what a watcher reports is compared with
what was done, and not with what another watcher reports.
"""

import os
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

DEEPEST = 3
"""Directories below the root that are nested at the most."""
MOST = 60
"""Entries beyond which the model rather deletes than creates."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an operation must cause. Paths are absolute."""

    what: str
    created: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()
    concerned: frozenset[str] = frozenset()
    """More paths that may be reported: what is below a directory that went."""

    @property
    def allowed(self) -> frozenset[str]:
        """All paths that may be reported."""
        return self.created | self.changed | self.deleted | self.concerned


@dataclass
class ModelledTree:
    """A directory `root` in `top`, and another one beside it that nobody watches."""

    top: Path
    seed: int
    entries: dict[str, bool] = field(default_factory=dict)
    """Every path below the root, and whether it is a directory."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.root = str(self.top / "root")
        self.outside = str(self.top / "outside")
        os.mkdir(self.root)
        os.mkdir(self.outside)
        self._number = 0

    def act(self) -> Expected:
        """Do something, and say what it must cause."""
        if len(self.entries) > MOST:
            return self.random.choice((self._remove_file, self._remove_tree))()
        return self.random.choice(
            (
                self._create,
                self._create_tree,
                self._write,
                self._append_and_close_later,
                self._chmod,
                self._rename_file,
                self._rename_over,
                self._save_atomically,
                self._rename_directory,
                self._move_in,
                self._move_out,
                self._remove_file,
                self._remove_tree,
                self._link,
            )
        )()

    # -- what there is

    def check(self) -> None:
        """Raises AssertionError if the model is wrong."""
        found = {
            os.path.join(path, name)
            for path, folders, files in os.walk(self.root)
            for name in (*folders, *files)
        }
        assert found == self.entries.keys(), found ^ self.entries.keys()

    def _files(self) -> list[str]:
        return sorted(path for path, is_dir in self.entries.items() if not is_dir)

    def _regular(self) -> list[str]:
        return [path for path in self._files() if not os.path.islink(path)]

    def _folders(self) -> list[str]:
        return sorted(path for path, is_dir in self.entries.items() if is_dir)

    def _below(self, path: str) -> frozenset[str]:
        return frozenset(p for p in self.entries if p.startswith(path + "/"))

    def _place(self) -> str:
        """A path at which nothing is yet."""
        self._number += 1
        shallow = [
            path
            for path in self._folders()
            if path[len(self.root) :].count("/") < DEEPEST
        ]
        folder = self.random.choice([self.root, *shallow])
        name = self.random.choice(("f", "two words", "ünï", "-x", ".hidden"))
        return f"{folder}/{name}{self._number}"

    # -- operations

    def _create(self) -> Expected:
        path = self._place()
        Path(path).write_text(self.random.choice(("", "text")))
        self.entries[path] = False
        return Expected(f"create {path}", frozenset((path,)))

    def _create_tree(self) -> Expected:
        path = self._place()
        os.makedirs(f"{path}/a/b")
        Path(f"{path}/a/b/f").touch()
        new = {path: True, f"{path}/a": True, f"{path}/a/b": True}
        new[f"{path}/a/b/f"] = False
        self.entries |= new
        return Expected(f"create tree {path}", frozenset(new))

    def _write(self) -> Expected:
        if not (files := self._regular()):
            return self._create()
        path = self.random.choice(files)
        Path(path).write_text("other text")
        return Expected(f"write {path}", changed=frozenset((path,)))

    def _append_and_close_later(self) -> Expected:
        if not (files := self._regular()):
            return self._create()
        path = self.random.choice(files)
        with open(path, "a") as file:
            for _ in range(3):
                file.write("more")
                file.flush()
        return Expected(f"append to {path}", changed=frozenset((path,)))

    def _chmod(self) -> Expected:
        if not (paths := [*self._regular(), *self._folders()]):
            return self._create()
        path = self.random.choice(paths)
        os.chmod(path, 0o700 if os.stat(path).st_mode & 0o077 else 0o755)
        return Expected(f"chmod {path}", changed=frozenset((path,)))

    def _rename_file(self) -> Expected:
        if not (files := self._files()):
            return self._create()
        source, target = self.random.choice(files), self._place()
        os.rename(source, target)
        self.entries[target] = self.entries.pop(source)
        return Expected(
            f"rename {source} to {target}",
            frozenset((target,)),
            deleted=frozenset((source,)),
        )

    def _rename_over(self) -> Expected:
        if len(files := self._files()) < 2:
            return self._create()
        source, target = self.random.sample(files, 2)
        os.rename(source, target)
        del self.entries[source]
        return Expected(
            f"rename {source} over {target}",
            changed=frozenset((target,)),
            deleted=frozenset((source,)),
        )

    def _save_atomically(self) -> Expected:
        if not (files := self._regular()):
            return self._create()
        path = self.random.choice(files)
        self._number += 1
        new = f"{path}.{self._number}.tmp"
        Path(new).write_text("saved")
        os.rename(new, path)
        return Expected(
            f"save {path}", changed=frozenset((path,)), concerned=frozenset((new,))
        )

    def _rename_directory(self) -> Expected:
        if not (folders := self._folders()):
            return self._create_tree()
        source, target = self.random.choice(folders), self._place()
        if target.startswith(source + "/"):
            return self._create()
        os.rename(source, target)
        below = self._below(source)
        moved = {path: self.entries[path] for path in (source, *below)}
        for path, is_dir in moved.items():
            del self.entries[path]
            self.entries[target + path[len(source) :]] = is_dir
        concerned = frozenset(moved) | {target + p[len(source) :] for p in moved}
        return Expected(
            f"rename directory {source} to {target}",
            frozenset((target,)),
            deleted=frozenset((source,)),
            concerned=concerned,
        )

    def _move_in(self) -> Expected:
        path = self._place()
        self._number += 1
        source = f"{self.outside}/{self._number}"
        os.makedirs(f"{source}/inner")
        Path(f"{source}/inner/f").touch()
        os.rename(source, path)
        new = {path: True, f"{path}/inner": True, f"{path}/inner/f": False}
        self.entries |= new
        return Expected(f"move in {path}", frozenset(new))

    def _move_out(self) -> Expected:
        if not (folders := self._folders()):
            return self._create_tree()
        path = self.random.choice(folders)
        self._number += 1
        os.rename(path, f"{self.outside}/{self._number}")
        return self._gone(f"move out {path}", path)

    def _remove_file(self) -> Expected:
        if not (files := self._files()):
            return self._create()
        path = self.random.choice(files)
        os.unlink(path)
        return self._gone(f"remove {path}", path)

    def _remove_tree(self) -> Expected:
        if not (folders := self._folders()):
            return self._create_tree()
        path = self.random.choice(folders)
        below = self._below(path)
        shutil.rmtree(path)
        gone = self._gone(f"remove tree {path}", path)
        return Expected(gone.what, deleted=gone.deleted | below)

    def _gone(self, what: str, path: str) -> Expected:
        below = self._below(path)
        for gone in (path, *below):
            del self.entries[gone]
        return Expected(what, deleted=frozenset((path,)), concerned=below)

    def _link(self) -> Expected:
        path = self._place()
        os.symlink("nowhere", path)
        self.entries[path] = False
        return Expected(f"link {path}", frozenset((path,)))
