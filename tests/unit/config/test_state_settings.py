"""What a file may say of what is kept across restarts."""

from gamin.config.state_settings import STATE_RANGES, StateSettings


def test_every_setting_has_a_range_that_its_default_is_in() -> None:
    defaults = StateSettings()._asdict()
    assert list(defaults) == list(STATE_RANGES)
    for name, value in defaults.items():
        assert STATE_RANGES[name].least <= value <= STATE_RANGES[name].most


def test_whole_numbers_stay_whole() -> None:
    replaced = StateSettings().replaced({"servers": 2.0, "save_interval": 1.5})
    assert replaced == StateSettings(save_interval=1.5, servers=2)
    assert isinstance(replaced.servers, int)
