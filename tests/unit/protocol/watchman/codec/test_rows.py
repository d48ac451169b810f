import json

from hypothesis import given
from hypothesis import strategies as st

from gamin.events import Kind
from gamin.protocol.watchman.codec.compact import EVENT_FIELDS
from gamin.protocol.watchman.codec.rows import encode_rows, render
from gamin.protocol.watchman.query.file_row import FileRow
from testkit.rows import FILE, NOW, row

rows = st.builds(
    FileRow,
    st.binary(),
    st.sampled_from(Kind),
    is_dir=st.booleans(),
    source=st.none() | st.binary(),
)


@given(st.lists(rows))
def test_the_fast_encoder_equals_the_general_one(rows: list[FileRow]) -> None:
    written = encode_rows(rows, EVENT_FIELDS, NOW)
    assert json.loads(written) == render(rows, EVENT_FIELDS, NOW)


def test_other_fields_are_written_too() -> None:
    seen = [row(b"a\xff", facts=FILE), row(b"b", facts=FILE)]
    assert encode_rows(seen, ["name"], NOW) == b'["a\\udcff","b"]'
    assert json.loads(encode_rows(seen, ["name", "size"], NOW)) == [
        {"name": "a\udcff", "size": 0},
        {"name": "b", "size": 0},
    ]


def test_no_rows_are_an_empty_array() -> None:
    assert encode_rows([], EVENT_FIELDS, NOW) == b"[]"
    assert encode_rows([], ["name"], NOW) == b"[]"
