"""What happened to the names of a directory, and how that is packed.

All changes of a batch have the same tick, so many names in a row have equal histories.
A packed history keeps these once, as a run: a tenth of the memory of a dictionary. It
is a single object, because a small one that stays would keep a megabyte of the freed
memory around it from being given back.
"""

from array import array
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

History = tuple[int, int, int, int, bool]
"""What happened to a name, as ticks: its last change, its last creation, its last
deletion, its first creation. 0 means before the start for a creation, and never for a
deletion. The last item says whether it is, or was, a directory."""

PackedHistory = bytes
"""The type code of the numbers; how many there are; the runs, `_NUMBERS` for each; the
names joined by "/". Runs and names are in the order of the last change."""

_NUMBERS: Final = 6
"""Numbers of a run: how many names have it, four ticks, and whether each is a
directory."""
_SHORT: Final = 1 << 32
"""Numbers from this on take 8 bytes: ticks do after months of storms."""


def pack_history(history: Mapping[bytes, History]) -> PackedHistory:
    """Pack what happened to at least one name."""
    numbers: list[int] = []
    for touch, same in groupby(history.values()):
        numbers.append(len(list(same)))
        numbers += touch
    return _packed(numbers, b"/".join(history))


def _packed(numbers: Sequence[int], names: bytes) -> PackedHistory:
    code = "I" if max(numbers) < _SHORT else "Q"
    runs = array(code, [len(numbers), *numbers]).tobytes()
    return b"%b%b%b" % (code.encode(), runs, names)


def _runs(packed: PackedHistory) -> tuple["array[int]", int]:
    """The runs of a packed history, and where its names begin."""
    numbers = array(chr(packed[0]))
    size = numbers.itemsize
    numbers.frombytes(packed[1 : 1 + size])
    end = 1 + size * (numbers.pop() + 1)
    numbers.frombytes(packed[1 + size : end])
    return numbers, end


def unpack_history(packed: PackedHistory) -> dict[bytes, History]:
    """The history as it was before it was packed."""
    numbers, end = _runs(packed)
    touches: list[History] = []
    for at in range(0, len(numbers), _NUMBERS):
        count, last, born, died, first, is_dir = numbers[at : at + _NUMBERS]
        touches += [(last, born, died, first, bool(is_dir))] * count
    return dict(zip(packed[end:].split(b"/"), touches, strict=True))


def unpack_recent(packed: PackedHistory, since: int) -> list[tuple[bytes, History]]:
    """The names whose last change came after the tick, oldest change first."""
    numbers, end = _runs(packed)
    at = len(numbers)
    touches: list[History] = []
    while at and numbers[at - _NUMBERS + 1] > since:
        at -= _NUMBERS
        count, last, born, died, first, is_dir = numbers[at : at + _NUMBERS]
        touches += [(last, born, died, first, bool(is_dir))] * count
    if not touches:
        return []
    touches.reverse()
    names = packed[end:].rsplit(b"/", len(touches))[-len(touches) :]
    return list(zip(names, touches, strict=True))


def forget_unpacked(history: dict[bytes, History], until: int, most: int) -> int:
    """Forget the names whose last change was in the tick `until` or earlier, at most so
    many. Return how many were forgotten."""
    old: list[bytes] = []
    for name, touch in history.items():
        if touch[0] > until or len(old) == most:
            break
        old.append(name)
    for name in old:
        del history[name]
    return len(old)


def forget_packed(
    packed: PackedHistory, until: int
) -> tuple[PackedHistory | None, int, int]:
    """Forget the names whose last change was in the tick `until` or earlier. Return
    what is left, how many names were forgotten and how many are left."""
    numbers, end = _runs(packed)
    at = forgotten = 0
    while at < len(numbers) and numbers[at + 1] <= until:
        forgotten += numbers[at]
        at += _NUMBERS
    rest = numbers[at:]
    left = sum(rest[::_NUMBERS])
    if not left:
        return None, forgotten, 0
    names = packed[end:].split(b"/", forgotten)[forgotten]
    return _packed(rest, names), forgotten, left
