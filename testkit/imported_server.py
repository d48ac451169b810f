"""Imported by the process that servers are forked from, and by nothing else."""

import gc
import importlib

gc.disable()  # nothing that an import makes is ever freed

from gamin.daemon.process import main, preload  # noqa: E402 (the collector is off)
from gamin.daemon.process.lean_import import lean_import  # noqa: E402 (the same)

MODULES = ("gamin.daemon.process.start", main.__name__, *preload.LATE_MODULES)

with lean_import():
    for module in MODULES:
        importlib.import_module(module)
gc.freeze()
