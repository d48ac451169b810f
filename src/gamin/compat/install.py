"""Replaces the engines of watchfiles and watchdog in this process by the service.

`install` may be called before or after the libraries are imported. A library that is
not imported yet is changed right after its import, so that its own engine stays there
to fall back to. This module imports next to nothing: under `gamin exec` every Python
program loads it.
"""

import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from gamin.compat import settings

TYPE_CHECKING = False
"""As in `typing`, of which the import would cost more than the rest."""
if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec


def install(*libraries: str) -> None:
    """Let libraries in this process use the service: "watchfiles", "watchdog".

    Without arguments both. Where the service cannot do what a watch needs, or cannot
    be reached, that watch uses the library's own engine; a RuntimeWarning says so
    once. GAMIN_REPLACE=0 in the environment turns everything off.

    Raises:
        ValueError: a library of another name.

    Example:

        import gamin.compat

        gamin.compat.install("watchfiles")
    """
    for name in libraries:
        if name not in settings.LIBRARIES:
            known = " and ".join(settings.LIBRARIES)
            raise ValueError(f"gamin can replace the engines of {known}, not {name!r}")
    if settings.why_not() is not None:
        return
    for name in libraries or settings.LIBRARIES:
        _requested[name] = None
        for module, replace in _REPLACEMENTS[name].items():
            loaded = sys.modules.get(module)
            if loaded is not None and not _is_loading(loaded):
                replace(loaded)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def install_wanted() -> None:
    """Install what GAMIN_REPLACE names, as `gamin exec` sets it."""
    wanted = settings.wanted()
    if wanted:
        install(*wanted)
        if settings.hupper_wants_watchdog():
            _requested[settings.HUPPER] = None


def status() -> dict[str, str]:
    """What each library uses in this process, in words."""
    reason = settings.why_not()
    return {
        name: f"its own engine: {reason}" if reason is not None else _status_of(name)
        for name in settings.LIBRARIES
    }


def _status_of(name: str) -> str:
    if name not in _requested:
        return "its own engine: not installed"
    if name in _replaced:
        users = _replaced[name]
        return f"gamin, but not in {', '.join(users)}" if users else "gamin"
    return "gamin, once it is imported"


def _is_loading(module: ModuleType) -> bool:
    return bool(getattr(module.__spec__, "_initializing", False))


def _replace_watchfiles(module: ModuleType) -> None:
    """Put our class in the place of RustNotify, wherever it was imported to."""
    from gamin.compat.rust_notify import make_engine

    own = module.RustNotify
    if not hasattr(own, "own_engine"):
        module.RustNotify = make_engine(own)  # type: ignore[attr-defined]  # no type
    main = sys.modules.get("watchfiles.main")
    if getattr(main, "RustNotify", None) is own:
        main.RustNotify = module.RustNotify  # type: ignore[union-attr]  # the same
    _replaced["watchfiles"] = []


def _replace_watchdog(module: ModuleType) -> None:
    """Put our observer and emitter in the place of those for inotify."""
    from gamin.compat.observer import GaminEmitter, GaminObserver

    inotify = sys.modules["watchdog.observers.inotify"]
    own = vars(inotify)["InotifyObserver"]
    if own is not GaminObserver:
        _replaced["watchdog"] = _users_of("watchdog", own)
        vars(inotify).update(InotifyObserver=GaminObserver, InotifyEmitter=GaminEmitter)
        vars(module).update(Observer=GaminObserver)


def _replace_watchdog_polling(module: ModuleType) -> None:
    if settings.polling_too():
        from gamin.compat.polling_observer import GaminPollingObserver

        _users_of("watchdog", vars(module)["PollingObserver"])
        vars(module).update(PollingObserver=GaminPollingObserver)


def _prefer_watchdog(module: ModuleType) -> None:
    """Have hupper watch by watchdog where there is one.

    It prefers Watchman, and `gamin exec` sets WATCHMAN_SOCK for others. But when it
    ends, its monitor for Watchman waits up to ten seconds for a thread of its own: it
    counts on a closed socket to end `select`, which Linux does not do.
    """
    own, names = module.is_watchman_supported, vars(module)

    def is_watchman_supported() -> bool:
        return not names["is_watchdog_supported"]() and bool(own())

    names.update(is_watchman_supported=is_watchman_supported)


def _users_of(library: str, own: object) -> list[str]:
    """The modules that imported a class before it was replaced, with a warning."""
    users = sorted(
        name
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] != library
        and any(
            value is own for value in list(getattr(module, "__dict__", {}).values())
        )
    )
    if users:
        from gamin.compat.fallback import warn_once

        names = ", ".join(users)
        warn_once(library, f"{names} imported it before gamin.compat.install")
    return users


_REPLACEMENTS: dict[str, dict[str, Callable[[ModuleType], None]]] = {
    "watchfiles": {"watchfiles._rust_notify": _replace_watchfiles},
    "watchdog": {
        "watchdog.observers": _replace_watchdog,
        "watchdog.observers.polling": _replace_watchdog_polling,
    },
    settings.HUPPER: {"hupper.utils": _prefer_watchdog},
}
"""For each library: what to do right after one of its modules was executed."""

_requested: dict[str, None] = {}
_replaced: dict[str, list[str]] = {}
"""The libraries whose engine is replaced, and the modules that still have the old one.
"""


class _Finder:
    """Finds what the finders after it find, and has it replaced after its import."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> "ModuleSpec | None":
        library = fullname.partition(".")[0]
        replace = _REPLACEMENTS.get(library, {}).get(fullname)
        if replace is None or library not in _requested:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, replace)  # type: ignore[assignment]  # a part
                return spec
        return None


class _Loader:
    """The loader of a module, followed by the replacement."""

    def __init__(self, own: "Loader", replace: Callable[[ModuleType], None]) -> None:
        self._own = own
        self._replace = replace

    def create_module(self, spec: "ModuleSpec") -> ModuleType | None:
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._own.exec_module(module)
        # Tools ask modules for their loader (source, data): it is the real one.
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        try:
            self._replace(module)
        except Exception as error:
            # The program did not ask for gamin: it goes on without.
            from gamin.compat.fallback import warn_once

            warn_once(module.__name__.partition(".")[0], repr(error))


_finder = _Finder()
