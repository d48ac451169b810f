"""What breaks a convention today. These lists only ever become shorter."""

IMPORTS: frozenset[tuple[str, str]] = frozenset(
    {
        ("daemon/io/drive.py", "backends/base.py"),
        ("daemon/io/drive.py", "backends/polling.py"),
        ("daemon/io/drive.py", "core/effects.py"),
        ("daemon/io/drive.py", "core/monitor.py"),
        ("daemon/io/drive.py", "engine/executor.py"),
        ("daemon/io/drive.py", "engine/question.py"),
        ("daemon/io/drive.py", "engine/ports.py"),
    }
)
"""Imports against the layers: the module, and the module that it may not import."""

IMPURE: frozenset[str] = frozenset()
"""Modules of pure folders that import something with which one does I/O."""

READS_PROC: frozenset[str] = frozenset({"cli/check_session.py", "cli/control.py"})
"""Modules outside system/ that name paths below /proc."""

LONG_FUNCTIONS: frozenset[str] = frozenset(
    {
        "src/gamin/client/aio.py:awatch",
        "src/gamin/client/watch.py:watch",
        "src/gamin/core/apply/fast_files.py:_run",
    }
)
"""Functions of more than 60 lines."""

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
