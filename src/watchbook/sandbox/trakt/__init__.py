"""A stand-in for Trakt as it behaves in late 2026: a real HTTP server on loopback."""

from watchbook.sandbox.client import ControlError
from watchbook.sandbox.rules import Fault, FaultSyntaxError
from watchbook.sandbox.trakt.client import SandboxControl
from watchbook.sandbox.trakt.fault_table import FAULTS
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
