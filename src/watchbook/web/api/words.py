"""The table of operations in words: what its pages and its reference say, from the same source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from watchbook.web.api.document import NAME, components
from watchbook.web.api.operations import Operation
from watchbook.web.api.parameters import Parameter


@dataclass(frozen=True)
class Field:
    """A field of an answer; ``of`` names the shape that it holds, if it is one of ours."""

    name: str
    type: str
    words: str
    of: str | None


@dataclass(frozen=True)
class Form:
    """A shape: an object of the JSON with its fields."""

    name: str
    words: str
    fields: tuple[Field, ...]


def forms() -> Iterator[Form]:
    """Every shape of an answer or of a part of one, by name."""
    for name, schema in components().items():
        told = " ".join(schema.get("description", "").split())
        fields = schema.get("properties", {})
        yield Form(name, told, tuple(_field(one, fields[one]) for one in fields))


def _field(name: str, schema: Mapping[str, Any]) -> Field:
    words = " ".join(schema.get("description", "").split())
    return Field(name, type_of(schema), words, next(_references(schema), None))


def type_of(schema: Mapping[str, Any]) -> str:
    """What a value is, in a few words: ``number or null``, ``list of Play``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(map(type_of, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    if kind == "object":
        return f"object of {type_of(schema.get('additionalProperties', {}))}"
    plain = {"date-time": "moment", "date": "day"}
    return plain.get(schema.get("format", "")) or {"string": "text", "integer": "number"}.get(
        kind, kind
    )


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for one in schema:
            yield from _references(one)
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for one in schema.values():
            yield from _references(one)


def form_of(one: Parameter) -> str:
    """What a parameter may be, in words."""
    schema = one.schema
    if schema.get("type") == "integer" and "default" in schema:
        return f"1 to {schema['maximum']}, else {schema['default']}"
    return type_of(schema)


def curl(one: Operation, base_url: str) -> str:
    """An example that can be copied: how the operation is asked from a shell."""
    address = base_url + one.address.replace("{name}", NAME.example)
    for inside in one.parameters:
        address = address.replace(f"{{{inside.name}}}", quote(inside.example, safe=":"))
    shown = [each for each in one.query if each.name in {"limit", "year", "state"}][:1]
    if shown:
        address += f"?{shown[0].name}={shown[0].example}"
    head = "" if one.is_public else "-H 'Authorization: Bearer TOKEN' "
    return f"curl {head}'{address}'"
