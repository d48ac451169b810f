"""Mutated requests to a real server: what is sent, and a small run."""

import json
import random

import pytest

from fuzz import live
from gamin.protocol.watchman.commands import parse_request


def test_the_seeds_are_sound_and_start_nothing() -> None:
    for seed in live.seeds("/root"):
        parse_request(json.loads(json.dumps(seed)))
        assert seed[0] not in ("watch", "trigger", "shutdown-server", "gamin-stop")


def test_a_seed_of_chance_gives_the_same_requests_again() -> None:
    first, second = (
        list(live.batches(random.Random(7), "/root", 3 * live.BATCH)) for _ in range(2)
    )
    assert first == second
    assert len(first) == 3


def test_a_server_is_as_before_after_mutated_requests(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert live.main(["400", "1"]) == 0
    assert "400 requests" in capsys.readouterr().out
