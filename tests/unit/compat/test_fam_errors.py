"""Error numbers of FAM: which failure has which, and the one that is remembered."""

import pytest

from gamin.compat import fam_errors
from gamin.compat.fam_errors import (
    GAM_ARG,
    GAM_CONNECT,
    GAM_FILE,
    GAM_INTR,
    GAM_MEM,
    GAM_OK,
    GaminErrmsg,
    GaminErrno,
    GaminException,
    failure,
    failures_of,
)
from gamin.errors import GaminError, InvalidPath
from gamin.protocol.gam.client import TooManyRequests, UnknownNumber


@pytest.fixture(autouse=True)
def no_failure_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fam_errors, "_errno", GAM_OK)


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (InvalidPath(b"x", "relative"), GAM_FILE),
        (UnknownNumber(7), GAM_ARG),
        (TooManyRequests(), GAM_MEM),
        (GaminError("anything else"), GAM_CONNECT),
        (ConnectionResetError(), GAM_CONNECT),
    ],
)
def test_a_failure_has_the_number_that_the_original_gave_it(
    error: Exception, number: int
) -> None:
    with pytest.raises(GaminException) as caught, failures_of("watch"):
        raise error
    assert (caught.value.errno, caught.value.value) == (number, "Failed to watch")
    assert caught.value.__cause__ is error
    assert GaminErrno() == number


def test_what_is_no_failure_of_the_client_is_passed_on() -> None:
    with pytest.raises(KeyError), failures_of("watch"):
        raise KeyError
    assert GaminErrno() == GAM_OK


def test_the_last_number_is_kept_after_a_success() -> None:
    failure("x", GAM_FILE)
    with failures_of("watch"):
        pass
    assert (GaminErrno(), GaminErrmsg()) == (GAM_FILE, "bad file name")


def test_every_number_but_success_has_a_text() -> None:
    assert GaminErrmsg() == ""
    assert all(GaminErrmsg(number) for number in range(GAM_ARG, GAM_INTR + 1))
    assert GaminErrmsg(99) == ""


def test_an_exception_says_what_failed_and_why() -> None:
    assert str(GaminException("Failed to watch", GAM_FILE)) == (
        "Failed to watch: bad file name"
    )
    assert str(GaminException("Failed to watch", GAM_OK)) == "Failed to watch"
    failure("before", GAM_MEM)
    assert GaminException("next").errno == GAM_MEM
