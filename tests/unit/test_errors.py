"""The shared errors: their facts, and what their texts say."""

import pickle

from gamin.errors import GaminError, InvalidPath, ServerError, WatchLimitReached


def test_an_invalid_path_names_the_path_and_the_reason() -> None:
    error = InvalidPath(b"a\xff", "it is empty")
    assert str(error) == r"cannot watch 'a\udcff': it is empty"
    assert (error.path, error.reason) == (b"a\xff", "it is empty")


def test_a_reached_limit_names_the_limit_and_both_settings_that_raise_it() -> None:
    text = str(WatchLimitReached(b"/a", 8192))
    assert "'/a'" in text
    assert "8192" in text
    assert "fs.inotify.max_user_watches" in text
    assert "fs.fanotify.max_user_marks" in text


def test_an_error_keeps_its_facts_when_it_is_pickled() -> None:
    error = pickle.loads(pickle.dumps(InvalidPath(b"/a", "reason")))
    assert (error.path, error.reason) == (b"/a", "reason")


def test_one_base_catches_every_error_of_the_package() -> None:
    assert issubclass(ServerError, GaminError)
    assert issubclass(InvalidPath, GaminError)
