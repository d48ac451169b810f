"""A `gamin.watch` that another loop waits for, or asks for its next batch."""

import select
from pathlib import Path

import pytest

import gamin
from gamin import Watch
from testkit.watches import (
    SOON,
    created,
    kill_server,
)


def test_the_next_batch_or_none_can_be_asked_for(watch: Watch, tmp_path: Path) -> None:
    assert watch.next(0) is None
    assert watch.next(0.05) is None
    (tmp_path / "file").touch()
    assert watch.next() == [created(tmp_path / "file")]
    assert not watch.closed
    watch.close()
    assert watch.next(0) is None
    assert watch.closed


def test_another_loop_can_wait_for_the_descriptor(watch: Watch, tmp_path: Path) -> None:
    assert watch.next(0) is None
    assert select.select([watch], [], [], 0)[0] == []
    (tmp_path / "file").touch()
    assert select.select([watch], [], [], SOON)[0] == [watch]
    assert watch.next(0) == [created(tmp_path / "file")]
    watch.close()
    with pytest.raises(ValueError, match="closed"):
        watch.fileno()


@pytest.mark.usefixtures("own_server")
def test_the_descriptor_stays_the_same_when_the_server_is_replaced(
    tmp_path: Path,
) -> None:
    with gamin.watch(tmp_path) as watch:
        descriptor = watch.fileno()
        kill_server()
        (tmp_path / "file").touch()
        batch = None
        while batch is None:
            assert select.select([descriptor], [], [], SOON)[0]
            batch = watch.next(0)
        assert batch == [created(tmp_path / "file", recovered=True)]
        assert watch.fileno() == descriptor


@pytest.mark.usefixtures("server")
def test_another_loop_is_woken_when_something_has_settled(tmp_path: Path) -> None:
    with gamin.watch(tmp_path, settle=0.2) as watch:
        (tmp_path / "file").touch()
        while (batch := watch.next(0)) is None:
            assert select.select([watch], [], [], SOON)[0] == [watch]
        assert batch == [created(tmp_path / "file")]
