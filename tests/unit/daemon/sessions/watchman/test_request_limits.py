from gamin.config.client_limits import ClientLimits
from gamin.daemon.sessions.watchman.request_limits import query_limits
from gamin.protocol.watchman.query.limits import DEFAULT_LIMITS


def test_the_configured_defaults_are_those_of_the_language() -> None:
    assert query_limits(ClientLimits()) == DEFAULT_LIMITS


def test_each_limit_of_queries_comes_from_the_configuration() -> None:
    doubled = ClientLimits(*(2 * value for value in ClientLimits()))
    assert query_limits(doubled) == tuple(2 * value for value in DEFAULT_LIMITS)
