"""A stand-in for TMDB and for the host of Trakt's pictures: a real server on loopback."""

from watchbook.sandbox.client import ControlError
from watchbook.sandbox.rules import FaultSyntaxError
from watchbook.sandbox.tmdb.client import TmdbControl
from watchbook.sandbox.tmdb.fault_table import FAULTS
from watchbook.sandbox.tmdb.options import TmdbOptions
from watchbook.sandbox.tmdb.server import RunningTmdb, running, serve

__all__ = [
    "FAULTS",
    "ControlError",
    "FaultSyntaxError",
    "RunningTmdb",
    "TmdbControl",
    "TmdbOptions",
    "running",
    "serve",
]
