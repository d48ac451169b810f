"""What is missing skips a test, or fails it where it is required."""

import pytest

from testkit.required import COURIER, ORIGINAL, missing, needs


@pytest.fixture(autouse=True)
def nothing_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (ORIGINAL, COURIER):
        monkeypatch.delenv(variable, raising=False)


def test_what_is_missing_skips_the_test() -> None:
    with pytest.raises(pytest.skip.Exception, match="no nats-server here"):
        missing("nats-server")


@pytest.mark.parametrize("variable", [ORIGINAL, COURIER])
def test_what_is_required_and_missing_fails_the_test(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(pytest.fail.Exception, match=f"{variable}=1, but there is no x"):
        missing("x", variable)


def test_a_mark_skips_without_a_program_unless_it_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert needs("sh", "no-such-program").args == (True,)
    assert needs("sh").args == (False,)
    monkeypatch.setenv(ORIGINAL, "1")
    assert needs("sh", "no-such-program").args == (False,)
