"""A stand-in for a person's website with IndieAuth and Micropub: a real server on loopback."""

from watchbook.sandbox.client import ControlError
from watchbook.sandbox.rules import FaultSyntaxError
from watchbook.sandbox.site.client import SiteControl
from watchbook.sandbox.site.fault_table import FAULTS
from watchbook.sandbox.site.options import NAMES, SiteOptions
from watchbook.sandbox.site.server import RunningSite, SitePerson, running, serve

__all__ = [
    "FAULTS",
    "NAMES",
    "ControlError",
    "FaultSyntaxError",
    "RunningSite",
    "SiteControl",
    "SiteOptions",
    "SitePerson",
    "running",
    "serve",
]
