import pytest

from gamin.protocol.watchman.query.selection import PathFilter, Selection
from testkit.rows import row

FILES = ("a.c", "B.TXT", "sub/x.c", "sub/deep/y.c", "sub/.h.c")


def selected(selection: Selection) -> list[str]:
    question = selection.predicate()
    rows = [row(name.encode()) for name in FILES]
    rows.append(row(b"sub", is_dir=True))
    return [seen.name.decode() for seen in rows if question(seen)]


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        pytest.param(Selection(suffixes=(b"txt",)), ["B.TXT"], id="suffix"),
        pytest.param(Selection(suffixes=()), [], id="no suffix"),
        pytest.param(
            Selection(globs=(b"*.c", b"*/*.c")), ["a.c", "sub/x.c"], id="glob"
        ),
        pytest.param(Selection(globs=()), [], id="no glob"),
        pytest.param(
            Selection(globs=(b"sub/*.c",), dotfiles=True),
            ["sub/x.c", "sub/.h.c"],
            id="hidden files",
        ),
        pytest.param(Selection(globs=(b"b.*",), fold=True), ["B.TXT"], id="any case"),
        pytest.param(Selection(paths=(PathFilter(b"a.c"),)), ["a.c"], id="a file"),
        pytest.param(Selection(paths=(PathFilter(b"a.c", 0),)), ["a.c"], id="file, 0"),
        pytest.param(
            Selection(paths=(PathFilter(b"sub"),)),
            ["sub/x.c", "sub/deep/y.c", "sub/.h.c"],
            id="what is in a directory",
        ),
        pytest.param(
            Selection(paths=(PathFilter(b"sub", 0),)),
            ["sub/x.c", "sub/.h.c"],
            id="the entries of a directory",
        ),
        pytest.param(
            Selection(paths=(PathFilter(b"", 0),)),
            ["a.c", "B.TXT", "sub"],
            id="the top",
        ),
        pytest.param(Selection(paths=(PathFilter(b"su"),)), [], id="no sibling"),
        pytest.param(
            Selection(suffixes=(b"txt",), paths=(PathFilter(b"a.c"),)),
            ["a.c", "B.TXT"],
            id="both of two",
        ),
    ],
)
def test_what_is_selected(selection: Selection, names: list[str]) -> None:
    assert selected(selection) == names
