"""Which directories a filter of watchfiles drops, so that they need not be watched."""

from collections.abc import Sequence


def pruned_names(watch_filter: object) -> Sequence[str]:
    """The names of directories in which the filter drops every change.

    Empty for a function, and for a class with a `__call__` of its own: it may let
    through what the class below it would drop. PythonFilter's only drops more.
    """
    for kind in type(watch_filter).__mro__:
        if "__call__" in vars(kind):
            if kind.__name__ not in ("BaseFilter", "PythonFilter"):
                return ()
            if kind.__module__ not in ("watchfiles.filters", "gamin.compat.watchfiles"):
                return ()
            break
    else:
        return ()
    names = getattr(watch_filter, "_ignore_dirs", ())
    return sorted(name for name in names if name and "/" not in name)
