"""The OpenAPI document, made from the table of operations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from watchbook.web.api.operations import OPERATIONS, Operation
from watchbook.web.api.parameters import Parameter, shaped
from watchbook.web.api.shapes import Last, Refused

OPENAPI = "3.1.0"
NAME = shaped(
    "name",
    "The name of the account.",
    r"^[a-z0-9][a-z0-9_-]{0,59}$",
    "sandra",
    place="path",
    form="the name of an account",
)
ABOUT = """\
What a Watchbook account holds, as JSON. It only reads.

Parts that an account has switched on with `watchbook share on PART` are open to everybody. \
Everything else takes a token of that account (`watchbook token add NAME`), sent as \
`Authorization: Bearer TOKEN`; with it nothing is hidden or delayed. Whatever may not be seen is \
answered like what does not exist: 404, `not public`.

Every answer is an object with `ok`. A list has `items`, and `next` where there is more: send that \
as `cursor`. Moments are RFC 3339 in UTC. Pages of any origin may ask, and an `ETag` saves asking \
for the same thing twice. New fields may come; those there are stay."""
_BEARER = "token"
_PROBLEMS = {
    "400": "A parameter is not as it should be: `reason` says which, `hint` shows a right one.",
    "401": "What was sent is no token, or one that was removed.",
    "404": "It is not public, or not there.",
    "429": "That was a lot at once; `Retry-After` says how many seconds to wait.",
    "503": "The database cannot be read right now; try again.",
}


@cache
def components() -> dict[str, Any]:
    """The schemas of all answers and their parts, by name."""
    shapes = [*{one.answer: None for one in OPERATIONS}, Refused]
    _, found = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    for name, schema in found.items():
        _complete(name, schema)
    return dict(sorted(found.items()))


def _complete(name: str, schema: dict[str, Any]) -> None:
    """Say what msgspec cannot know: every field is there, and which way ``ok`` always is."""
    fields = schema.get("properties", {})
    schema["required"] = [field for field in fields if field != "hint"]
    if "ok" in fields:
        always = {} if name == Last.__name__ else {"const": name != Refused.__name__}
        fields["ok"] = {**fields["ok"], **always}
    for field in fields.values():
        field.pop("default", None)


def document(base_url: str) -> dict[str, Any]:
    """The OpenAPI document of the installation at ``base_url``."""
    return {
        "openapi": OPENAPI,
        "info": {"title": "Watchbook", "version": version("watchbook"), "description": ABOUT},
        "servers": [{"url": base_url}],
        "paths": {one.address: {"get": _operation(one)} for one in OPERATIONS},
        "components": {
            "schemas": components(),
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    alone: list[dict[str, Any]] = [{_BEARER: []}]
    return {
        "operationId": one.name,
        "summary": one.words,
        "description": described(one),
        "parameters": list(map(_parameter, (NAME, *one.parameters))),
        "security": [{}, *alone] if one.is_public else alone,
        "responses": dict(_responses(one)),
    }


def described(one: Operation) -> str:
    """Who may ask, and what else is to be said."""
    who = "Takes a token of the account."
    if one.any_part:
        who = "Open to everybody while any part is shared, and to a token of the account."
    elif one.part is not None:
        who = f"Open to everybody while `{one.part}` is shared, and to a token of the account."
    return " ".join(filter(None, (who, one.notes)))


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": one.place,
        "required": one.place == "path",
        "description": one.words,
        "schema": one.schema,
        "example": int(one.example) if one.schema.get("type") == "integer" else one.example,
    }


def _responses(one: Operation) -> Iterator[tuple[str, Any]]:
    yield "200", _response("The answer.", one.answer.__name__)
    yield "304", {"description": "What `If-None-Match` names is still right."}
    for status, words in _PROBLEMS.items():
        yield status, _response(words, Refused.__name__)


def _response(words: str, name: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}
