"""Reading what is posted: JSON, forms, and forms with files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import msgspec

from watchbook.sandbox.answer import Refusal, refused

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_NAME = re.compile(r'\bname="([^"]*)"')
_FILENAME = re.compile(r'\bfilename="([^"]*)"')
_TYPE = re.compile(r"^content-type:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in a part of a form."""

    part: str
    name: str
    content_type: str
    content: bytes


@dataclass(slots=True)
class Body:
    """What was posted; `json` is None for forms. Names of fields are without their `[]`."""

    json: dict[str, object] | None = None
    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[Upload] = field(default_factory=list)

    @property
    def form(self) -> dict[str, str]:
        """The fields; the last one of a name counts."""
        return dict(self.fields)

    def value(self, name: str) -> object:
        """A member of the object, or a field."""
        return self.form.get(name) if self.json is None else self.json.get(name)


def read(content_type: str, content: bytes) -> Body:
    """Read a body as what it says it is.

    Raises:
        Refusal: it is of no known type (415), or not what it says (400).
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return Body(_object(content))
    if kind == "application/x-www-form-urlencoded" or not content:
        pairs = parse_qsl(content.decode(errors="replace"), keep_blank_values=True)
        return Body(fields=[(name.removesuffix("[]"), value) for name, value in pairs])
    if kind == "multipart/form-data":
        return _parts(content_type, content)
    raise Refusal(refused(415, "unsupported_media_type", "JSON or a form"))


def _object(content: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(content, type=dict[str, object])
    except msgspec.DecodeError:
        raise Refusal(refused(400, "invalid_request", "The body is not a JSON object")) from None


def _parts(content_type: str, content: bytes) -> Body:
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise Refusal(refused(400, "invalid_request", "The form has no boundary"))
    found = Body()
    for part in content.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        _take(found, head.decode(errors="replace"), value.removesuffix(b"\r\n"))
    return found


def _take(found: Body, head: str, value: bytes) -> None:
    name, file, kind = _NAME.search(head), _FILENAME.search(head), _TYPE.search(head)
    part = name[1].removesuffix("[]") if name else ""
    if file is None:
        found.fields.append((part, value.decode(errors="replace")))
    else:
        found.files.append(Upload(part, file[1], kind[1] if kind else "", value))
