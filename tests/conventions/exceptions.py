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
        "daemon/sessions/gam.py",
        "daemon/sessions/watchman/asker.py",  # interfaces only
        "daemon/sessions/watchman/commands.py",
        "daemon/sessions/watchman/delivery.py",
        "daemon/sessions/watchman/git_repository.py",
        "daemon/sessions/watchman/hashing_subscription.py",
        "daemon/sessions/watchman/language.py",
        "daemon/sessions/watchman/memory.py",
        "daemon/sessions/watchman/roots.py",
        "daemon/sessions/watchman/rule_files.py",
        "daemon/sessions/watchman/save_schedule.py",
        "daemon/sessions/watchman/session.py",
        "daemon/sessions/watchman/shared_query.py",
        "daemon/sessions/watchman/tree_scan.py",
        "daemon/sessions/watchman/triggers.py",
        "daemon/sessions/watchman/update.py",
        "engine/outstanding.py",
        "engine/question.py",
        "engine/ports.py",  # interfaces only
        "protocol/watchman/codec/codec.py",  # interfaces only
        "protocol/watchman/version.py",  # a constant
        "state/resume.py",
    }
)
"""Modules without a unit test of the mirrored name."""
