"""What breaks a convention today. These lists only ever become shorter."""

IMPORTS: frozenset[tuple[str, str]] = frozenset(
    {
        ("daemon/io/drive.py", "backends/base.py"),
        ("daemon/io/drive.py", "backends/polling.py"),
        ("daemon/io/drive.py", "core/effects.py"),
        ("daemon/io/drive.py", "core/monitor.py"),
        ("daemon/io/drive.py", "engine/executor.py"),
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

WITH_TESTS = ("config/", "daemon/io/", "daemon/process/", "patterns/", "system/")
"""Packages in which each module has a unit test module of the mirrored name."""

WITHOUT_TEST: frozenset[str] = frozenset(
    {
        "daemon/io/drive.py",
        "daemon/process/config_watch.py",
        "daemon/process/lifecycle.py",
        "system/inotify_usage.py",
    }
)
"""Modules of these packages that have none."""
