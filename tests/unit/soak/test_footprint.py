import os

from soak.footprint import Footprint, footprint, summary


def test_a_process_has_descriptors_and_memory_of_its_own() -> None:
    before = footprint(os.getpid(), 0)
    assert before.memory > 1_000_000
    descriptor = os.open("/dev/null", os.O_RDONLY)
    try:
        assert footprint(os.getpid(), 0).descriptors == before.descriptors + 1
    finally:
        os.close(descriptor)


def test_the_summary_is_about_the_server_that_ran_last() -> None:
    prints = [
        Footprint(1, 100, 90, 90_000_000),
        Footprint(2, 200, 20, 15_000_000),
        Footprint(2, 700, 21, 16_000_000),
    ]
    assert summary(prints) == (
        "the last server: 20 descriptors, 15.0 MB at first, 21 descriptors, 16.0 MB "
        "after 500 operations; at most 90 descriptors, 90.0 MB"
    )


def test_a_run_without_a_rest_has_a_summary_too() -> None:
    assert summary([]) == "the server was never at rest"
