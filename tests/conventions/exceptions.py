"""What breaks a convention today. This list only ever becomes shorter."""

WITHOUT_TEST: frozenset[str] = frozenset(
    {
        "__main__.py",  # calls the command line's main
        "backends/base.py",  # interfaces only
        "daemon/sessions/watchman/asker.py",  # interfaces only
        "engine/ports.py",  # interfaces only
        "protocol/watchman/codec/codec.py",  # interfaces only
        "protocol/watchman/version.py",  # a constant
    }
)
"""Modules without a unit test of the mirrored name."""
