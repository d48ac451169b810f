"""The class that takes the place of `RustNotify`, watchfiles' own engine.

Where the service cannot do what is asked, or cannot be had, the object is the library's
own.
"""

import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

from gamin.compat import fallback, outage, settings
from gamin.compat.filters import pruned_names


def make_engine(own: type[Any]) -> type[Any]:
    """A class to take the place of `own`, watchfiles' RustNotify.

    An instance is one of `Engine`, or of `own` where the service is not used. If the
    server is lost for good, an `Engine` goes on with an instance of `own`.
    """

    class RustNotify:
        """watchfiles' engine over gamin, or its own where gamin cannot serve."""

        own_engine = own

        def __new__(
            cls,
            watch_paths: Sequence[str],
            debug: bool = False,
            force_polling: bool = False,
            poll_delay_ms: int = 300,
            recursive: bool = True,
            ignore_permission_denied: bool = False,
            *more: Any,
        ) -> Any:
            def use_own() -> Any:
                arguments = (debug, force_polling, poll_delay_ms, recursive)
                try:
                    return own(watch_paths, *arguments, ignore_permission_denied, *more)
                except TypeError:  # before 0.21 there was no such argument
                    return own(watch_paths, *arguments)

            # A lost server is found by a thread of the library.
            line = fallback.calling_line()

            def use_own_instead(problem: Exception) -> Any:
                fallback.warn_once("watchfiles", problem, line)
                return use_own()

            if force_polling or settings.why_not() is not None or outage.is_known():
                return use_own()
            # Imported late: most processes that import watchfiles watch nothing, as
            # the children of a reloader.
            from gamin.compat.engine import Engine
            from gamin.errors import GaminError, ServerError

            try:
                return Engine(
                    watch_paths,
                    recursive=recursive,
                    ignore_permission_denied=ignore_permission_denied,
                    ignore=_pruned_for(sys._getframe(1)),
                    substitute=use_own_instead,
                )
            except (FileNotFoundError, PermissionError):
                raise
            except (GaminError, OSError) as problem:
                if isinstance(problem, ServerError):
                    outage.remember()
                return use_own_instead(problem)

    return RustNotify


def _pruned_for(caller: FrameType) -> Sequence[str]:
    """The names of directories that the filter of the caller drops altogether.

    The engine never learns of the filter. Both functions that make one, `watch` and
    `awatch` of `watchfiles.main`, have it as the argument `watch_filter`, and may have
    been imported into any module before this one; so it is read from their frame.
    """
    if caller.f_globals.get("__name__") != "watchfiles.main":
        return ()
    return pruned_names(caller.f_locals.get("watch_filter"))
