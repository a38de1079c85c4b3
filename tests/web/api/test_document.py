"""The OpenAPI document says what the server does: schemathesis asks, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.web.api.conftest import Api
from tests.web.api.test_access import path_of
from watchbook.sharing import Part
from watchbook.web.api.document import document
from watchbook.web.api.operations import OPERATIONS

EXCUSED = {"cursor"}
"""Parameters whose form says too little: what fits it and was never given is refused."""


@pytest.fixture
def described(api: Api) -> Any:
    """The document as the server gives it, of a server where everything is shared."""
    api.share(*Part)
    told = api.visitor.ask("/api/openapi.json").json
    for path in told["paths"].values():
        (name,) = (one for one in path["get"]["parameters"] if one["name"] == "name")
        name["schema"] = {"type": "string", "enum": ["sandra"]}
    found = schemathesis.openapi.from_dict(told)
    shown = {"Authorization": f"Bearer {api.token}"}
    found.config.update(base_url=api.visitor.address, headers=shown)
    return found


@pytest.mark.daily(2)
@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_whatever_is_asked_the_answer_is_as_described(
    described: Any, mode: GenerationMode, subtests: pytest.Subtests
) -> None:
    """Status, media type, headers and shape are as written; odd parameters are refused."""
    for found in described.get_all_operations():
        operation = found.ok()
        with subtests.test(operation.label):
            _ask_for(operation, mode)


def _ask_for(operation: Any, mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case[Any]) -> None:
        excused = EXCUSED & set(case.query or {})
        # Without a token private things are not there (404), as test_access.py proves.
        excluded = [ignored_auth, *([positive_data_acceptance] if excused else [])]
        case.call_and_validate(excluded_checks=excluded)

    ask()


def test_the_document_has_every_operation(api: Api) -> None:
    """Each has an id of its own, and an answer whose shape is there."""
    told = api.visitor.ask("/api/openapi.json")
    assert told.status == 200
    assert told.headers["access-control-allow-origin"] == "*"
    assert api.visitor.ask("/api/openapi.json", If_None_Match=told.headers["etag"]).status == 304
    assert told.json["servers"] == [{"url": "https://watch.example"}]
    found = {path["get"]["operationId"]: address for address, path in told.json["paths"].items()}
    assert found == {one.name: one.address for one in OPERATIONS}
    assert len(found) == len(OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    """No shape names one that is not in the document."""
    told = document("https://watch.example")
    wanted = set(_references(told))
    assert {f"#/components/schemas/{name}" for name in told["components"]["schemas"]} == wanted


def test_answers_have_every_field_and_no_other(api: Api) -> None:
    """With a token, on filled books: real answers hold to the shapes, objects all the way down."""
    shapes = document("")["components"]["schemas"]
    for operation in OPERATIONS:
        told = api.ask(path_of(operation), api.token).json
        assert set(told) == set(shapes[operation.answer.__name__]["properties"])


def _references(told: Any) -> Any:
    if isinstance(told, dict):
        if "$ref" in told:
            yield told["$ref"]
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from _references(one)
