import re

from gamin.protocol.watchman.warnings import MAX_UNREADABLE, warning

PATTERN = re.compile(
    r"Recrawled this watch (\d+) times?, most recently because:\n([^:]+)"
)
"""By this metro, jest and sane recognise the warning, to show it once."""


def test_a_root_without_trouble_has_no_warning() -> None:
    assert warning(b"/r", 0, "lost") == ""


def test_clients_recognise_the_warning_after_lost_events() -> None:
    once = PATTERN.match(warning(b"/r", 1, "lost"))
    assert once is not None
    assert once.groups() == ("1", "/r")
    text = warning(b"/r", 2, "lost")
    assert "2 times" in text
    assert "/r: lost\n" in text
    assert "`watchman watch-del '/r' ; watchman watch-project '/r'`" in text


def test_directories_that_cannot_be_listed_are_named_but_not_all_of_many() -> None:
    text = warning(b"/r", 0, "", [b"%d" % number for number in range(100)])
    assert len(text.splitlines()) == MAX_UNREADABLE
    assert "opendir(/r/0) -> Permission denied" in text
    assert "opendir(/r) -> " in warning(b"/r", 0, "", [b""])
