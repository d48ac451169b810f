"""Recordings: what is written can be read, and what cannot be read does no harm."""

import gzip
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamin.cli import recording
from gamin.cli.recording import Recorded, Unusable, parse
from gamin.events import Event, Kind
from testkit.nested import nested

HEADER = recording.header(["/w"], 1000.0)

names = st.text(st.characters(exclude_characters="\0"), min_size=1).map(
    lambda text: f"/w/{text}"
)
events = st.builds(
    Event, st.sampled_from(Kind), names, st.none() | names, st.booleans(), st.booleans()
)


@given(st.lists(events))
def test_a_written_recording_can_be_read(batch: list[Event]) -> None:
    lines = (HEADER + recording.lines(batch, 1001.5)).splitlines(keepends=True)
    read = parse("x", lines)
    assert read.paths == ["/w"]
    assert read.changes == [Recorded(1001.5, event) for event in batch]
    assert read.damaged == 0


@given(
    st.lists(
        st.binary()
        | nested(
            st.none() | st.booleans() | st.floats() | st.text(),
            st.sampled_from(["time", "kind", "path", "dest"]),
        ).map(lambda value: json.dumps(value).encode())
    )
)
def test_any_other_line_is_counted_as_damaged(lines: list[bytes]) -> None:
    read = parse("x", [HEADER, *lines])
    assert len(read.changes) + read.damaged == len(lines)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"{}",
        b'{"gamin_recording": 2, "paths": [], "started": 1}',
        b'{"gamin_recording": 1, "paths": [1], "started": 1}',
        b'{"gamin_recording": 1, "paths": [], "started": NaN}',
        b"[" * 100_000,
    ],
    ids=range(8),
)
def test_another_file_is_refused(line: bytes) -> None:
    with pytest.raises(Unusable, match="not a recording"):
        parse("x", [line])


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_the_suffix_chooses_the_compression(suffix: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"x.{suffix}")
    with recording.open_new(path, replace=False) as file:
        file.write(HEADER)
    is_compressed = Path(path).read_bytes()[:2] == b"\x1f\x8b"
    assert is_compressed is suffix.endswith("gz")
    assert recording.read(path).started == 1000.0


def test_zstandard_works_where_there_is_a_module_or_says_what_to_install(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "x.zst")
    if all(find_spec(name) is None for name in ("compression", "zstandard")):
        with pytest.raises(Unusable, match="install the package zstandard"):
            recording.open_new(path, replace=False)
        return
    with recording.open_new(path, replace=False) as file:
        file.write(HEADER)
    assert recording.read(path).started == 1000.0


def test_a_recording_that_ends_early_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = tmp_path / "whole.gz"
    event = Event(Kind.CREATED, "/w/a")
    with gzip.open(whole, "wb") as file:
        file.write(HEADER + recording.lines([event], 1001))
        file.flush()
        file.write(recording.lines([event] * 1000, 1002))
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole.read_bytes()[:-20])
    read = recording.read(str(cut))
    assert read.changes[0] == Recorded(1001, event)
    assert read.damaged > 0


def test_an_existing_file_is_replaced_only_on_demand(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("precious")
    with pytest.raises(Unusable, match="--force"):
        recording.open_new(str(path), replace=False)
    recording.open_new(str(path), replace=True).close()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("name", ["missing/x", "", "a\0b"])
def test_a_file_that_cannot_be_opened_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unusable):
        recording.open_new(f"{tmp_path}/{name}", replace=True)
    with pytest.raises(Unusable):
        recording.read(f"{tmp_path}/{name}")
