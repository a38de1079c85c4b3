"""The files in every archive that are for people: README.txt, and verify.py to check it with."""

from __future__ import annotations

from datetime import datetime
from importlib.resources import files
from string import Template

from watchbook.archive import standalone
from watchbook.archive.manifest import COMPLETE, generator
from watchbook.archive.packing import Member, in_memory

_INCOMPLETE = '\nThis archive is INCOMPLETE: manifest.json says what is missing ("words").\n'


def documents(name: str, who: str, moment: datetime, verdict: str) -> list[Member]:
    """README.txt and verify.py for the archive called ``name`` of the account ``who``."""
    note = "" if verdict == COMPLETE else _INCOMPLETE
    return _both("README.txt", name, moment, who=who, verdict=note)


def instance_documents(name: str, moment: datetime, key: str) -> list[Member]:
    """README.txt and verify.py for a copy of an installation; ``key`` says where its key is."""
    return _both("instance.txt", name, moment, key=key)


def _both(template: str, name: str, moment: datetime, **words: str) -> list[Member]:
    common = {
        "name": name,
        "rule": "=" * len(name),
        "created_at": f"{moment:%d %B %Y}",
        "generator": generator(),
    }
    text = Template(_read(template).decode()).substitute(common | words)
    return [
        in_memory("README.txt", "document", text.encode()),
        in_memory("verify.py", "document", _read("verify.py")),
    ]


def _read(name: str) -> bytes:
    return (files(standalone) / name).read_bytes()
