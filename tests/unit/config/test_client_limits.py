from gamin.config.client_limits import RANGES, ClientLimits


def test_every_limit_has_a_range_and_starts_within_it() -> None:
    limits = ClientLimits()
    assert set(RANGES) == set(limits._fields)
    for name, range_ in RANGES.items():
        assert range_.whole
        assert range_.least <= getattr(limits, name) <= range_.most


def test_replacing_changes_only_what_is_named() -> None:
    assert ClientLimits().replaced({"triggers": 2}) == ClientLimits(triggers=2)
