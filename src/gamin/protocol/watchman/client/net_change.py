"""What several changes of one path amount to."""

from typing import Final

from gamin.events import DetailedEvent, Event, Kind, detailed

FLAGS: Final = (
    *("existed", "exists", "was_dir", "is_dir"),
    *("is_certain", "has_changed", "recovered"),
)
"""The members of a `NetChange` that are true or false."""


class NetChange:
    """From what was last reported of a path to what is there now."""

    __slots__ = (
        "details",
        "existed",
        "exists",
        "has_changed",
        "is_certain",
        "is_dir",
        "recovered",
        "source",
        "was_dir",
    )

    def __init__(self, *, existed: bool, is_dir: bool) -> None:
        self.existed: bool = existed
        self.exists: bool = existed
        """Whether something was there when it was last reported, and is there now."""
        self.was_dir: bool = is_dir
        self.is_dir: bool = is_dir
        """Whether that was, and is, a directory."""
        self.is_certain: bool = True
        """What is said of the past was known. The difference since a clock may contain
        the deletion of a name that nobody who had that clock knew."""
        self.has_changed: bool = False
        """What is there has another content than what was reported."""
        self.source: str | None = None
        """The path by which the file that is there now was last reported."""
        self.recovered: bool = False
        """Some of the changes were lost and found again."""
        self.details: int | None = None
        """Those of the changes together; negative if unknown, None if not asked for."""

    @property
    def is_unreported(self) -> bool:
        """Something is there of which nobody knows by any name."""
        return self.exists and not self.existed and self.source is None

    @property
    def is_new_directory(self) -> bool:
        """A directory is there that nobody knows, but perhaps what it replaced."""
        is_same = self.existed and self.was_dir and self.is_certain
        return self.exists and self.is_dir and not is_same

    @property
    def is_reported_file(self) -> bool:
        """A file was certainly reported by this name."""
        return self.existed and not self.was_dir and self.is_certain

    @property
    def is_deleted_directory(self) -> bool:
        """A directory that is known is gone; perhaps something is in its place."""
        is_same = self.exists and self.is_dir and self.is_certain
        return self.existed and self.was_dir and not is_same

    def take_past(self, other: "NetChange") -> None:
        """What was reported is what was reported of `other`."""
        self.existed, self.was_dir = other.existed, other.was_dir
        self.is_certain = other.is_certain

    def add_facts(self, event: Event) -> None:
        """What an event of the path says beside what happened."""
        self.recovered = self.recovered or event.recovered
        if isinstance(event, DetailedEvent):
            self._add_details(event.bits)

    def carry(self, other: "NetChange") -> None:
        """The changes of `other` happened to what is there now."""
        self.has_changed = self.has_changed or other.has_changed
        self.recovered = self.recovered or other.recovered
        if other.details is not None:
            self._add_details(other.details)

    def _add_details(self, bits: int) -> None:
        known = -1 if self.details is None else self.details
        self.details = bits if known < 0 else known | max(0, bits)

    def create(self, *, is_dir: bool) -> None:
        self.exists, self.is_dir, self.has_changed = True, is_dir, True

    def change(self) -> None:
        self.exists = self.has_changed = True

    def delete(self) -> None:
        self.exists, self.source = False, None

    @property
    def _is_same_kind(self) -> bool:
        return self.existed and self.exists and self.was_dir is self.is_dir

    def events(self, path: str) -> list[Event]:
        """The events to report; none if nothing is left of the changes."""
        made: list[Event] = []
        if self.source is not None:
            made.append(Event(Kind.MOVED, self.source, path, self.is_dir))
            if self.has_changed:
                made.append(Event(Kind.CHANGED, path, None, self.is_dir))
        elif self._is_same_kind and self.is_certain:
            made.append(Event(Kind.CHANGED, path, None, self.is_dir))
        else:
            if self.existed:
                made.append(Event(Kind.DELETED, path, None, self.was_dir))
            if self.exists:
                made.append(Event(Kind.CREATED, path, None, self.is_dir))
        if self.recovered:
            made = [each._replace(recovered=True) for each in made]
        bits = self.details
        return made if bits is None else [detailed(each, bits) for each in made]
