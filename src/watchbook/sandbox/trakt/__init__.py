"""A stand-in for Trakt as it behaves in late 2026: a real HTTP server on loopback."""

from watchbook.sandbox.trakt.client import ControlError, SandboxControl
from watchbook.sandbox.trakt.fault_table import FAULTS, Fault
from watchbook.sandbox.trakt.faults import FaultSyntaxError
from watchbook.sandbox.trakt.options import SandboxOptions
from watchbook.sandbox.trakt.server import RunningSandbox, SandboxAccount, running, serve

__all__ = [
    "FAULTS",
    "ControlError",
    "Fault",
    "FaultSyntaxError",
    "RunningSandbox",
    "SandboxAccount",
    "SandboxControl",
    "SandboxOptions",
    "running",
    "serve",
]
