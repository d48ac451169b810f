from gamin.config.flow_settings import LIMITS, FlowSettings


def test_every_setting_has_limits_and_starts_within_them() -> None:
    settings = FlowSettings()
    assert set(LIMITS) == set(settings._fields)
    for name, limits in LIMITS.items():
        assert limits.least <= getattr(settings, name) <= limits.most


def test_the_numbers_of_the_original_are_the_defaults() -> None:
    settings = FlowSettings()
    assert settings.reports_per_second == 4
    assert settings.calm_seconds == 5.0
    assert settings.report_interval == 1.0


def test_replacing_changes_only_what_is_named() -> None:
    settings = FlowSettings().replaced({"calm_seconds": 2.5})
    assert settings == FlowSettings(calm_seconds=2.5)


def test_a_whole_setting_is_an_int() -> None:
    settings = FlowSettings().replaced({"reports_per_second": 8.0})
    assert isinstance(settings.reports_per_second, int)
