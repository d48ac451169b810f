"""What the environment says about replacing the engines of libraries."""

import pytest

from gamin.compat import settings


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("watchfiles,watchdog", ("watchfiles", "watchdog")),
        ("watchdog", ("watchdog",)),
        ("watchdog,unknown", ("watchdog",)),
        ("", ()),
        ("0", ()),
        ("OFF", ()),
        ("watch", ()),
    ],
)
def test_the_libraries_are_named_with_commas(
    value: str, wanted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.REPLACE, value)
    assert settings.wanted() == wanted


def test_nothing_is_replaced_where_nothing_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(settings.REPLACE, raising=False)
    assert settings.wanted() == ()
    assert settings.why_not() is None  # a program may do so by itself


@pytest.mark.parametrize("value", ["0", "no", "False"])
def test_a_user_can_turn_everything_off(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.REPLACE, value)
    assert settings.why_not() == "GAMIN_REPLACE is 0"


def test_another_system_is_a_reason_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.REPLACE, "watchdog")
    monkeypatch.setattr("sys.platform", "darwin")
    assert settings.why_not() == "gamin needs Linux, and this is darwin"


@pytest.mark.parametrize(
    ("value", "is_on"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_a_switch_is_on_unless_it_is_empty_or_off(
    value: str, is_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.POLLING_TOO, value)
    monkeypatch.setenv(settings.VCS_IGNORE, value)
    assert settings.polling_too() is is_on
    assert settings.vcs_ignore() is is_on
