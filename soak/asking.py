"""A client that asks what changed, again and again, and is answered from what is.

Flow control may delay what is pushed, never an answer. So after the last act the first
answer has everything.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gamin.client.connect import connect_watchman
from gamin.errors import GaminError
from soak.follower import PATIENCE, Follower
from testkit.asker import Asker
from testkit.beliefs import belief
from testkit.beliefs.watch import differences, folder_of, there, version_of

FIELDS = ["name", "exists", "type"]


class AskingFollower(Follower):
    """Asks with the clock of the last answer; `resume` makes it connect again."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(name, root)
        self._belief = belief.Belief()
        self._asker: Asker | None = None
        self._clock: object = None
        self._listings = 0

    def follow(self) -> None:
        while not self.ended.wait(PATIENCE):
            self.reads.wait()
            with self.lock:
                if self.resume.is_set():
                    self.resume.clear()
                    self._leave()
                self._ask()
            self.ready.set()
        self._leave()

    def first_answer(self) -> list[str]:
        """What an answer lacks that is asked for now; empty if there is no answer."""
        with self.lock:
            return self._differences() if self._ask() else []

    def wrong(self) -> list[str]:
        with self.lock:
            return self._differences() if self._ask() else ["no answer"]

    def _differences(self) -> list[str]:
        real = there(self.root, cross_mounts=False)
        return differences(folder_of(self._belief.root), real)

    def summary(self) -> str:
        return f"{self.events} changes in answers, {self._listings} listings"

    def _ask(self) -> bool:
        """Whether there was an answer."""
        try:
            if self._asker is None:
                self._asker = Asker(connect_watchman())
                self._asker.ask("watch", str(self.root))
            query: dict[str, object] = {"fields": FIELDS}
            if self._clock is not None:
                query["since"] = self._clock
            self._asker.write("query", str(self.root), query)
            answer = self._asker.read()
        except (GaminError, OSError, AssertionError, ValueError):
            self._leave()  # no server for a moment, or killed in the middle of a line
            return False
        if "error" in answer:
            return False  # it cannot know: the queue overflows again and again
        self._apply(answer)
        return True

    def _apply(self, answer: dict[str, object]) -> None:
        files = answer["files"]
        assert isinstance(files, list)
        self._clock = answer["clock"]
        self.events += len(files)
        if answer["is_fresh_instance"]:
            self._listings += 1
            self._belief.clear()
        apply_files(self._belief, self.root, files)

    def _leave(self) -> None:
        if self._asker is not None:
            self._asker.__exit__(None, None, None)
            self._asker = None


def apply_files(
    known: belief.Belief, root: Path, files: Sequence[dict[str, Any]]
) -> None:
    """Apply the files of an answer with these `FIELDS` to what the client believes."""
    files = sorted(files, key=lambda file: str(file["name"]))
    for file in files:
        if not file["exists"]:
            known.deleted(os.fsencode(file["name"]), is_belated=True)
    for file in files:
        if file["exists"]:
            is_dir = file["type"] == "d"
            version = None if is_dir else version_of(str(root / file["name"]))
            known.created(os.fsencode(file["name"]), is_dir, version)
