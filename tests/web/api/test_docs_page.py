"""The page `/api/docs`, in a real browser: everything is there, and it reads well everywhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser import DESK, PHONE, browser, violations
from tests.web.api.conftest import Api
from tests.web.elsewhere import visiting
from watchbook.web.api.operations import OPERATIONS

__all__ = ["browser"]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["390", "1280"])
def test_the_page_reads_well(
    api: Api, browser: Browser, size: dict[str, int], colours: str
) -> None:
    """Nothing is wider than the screen, axe finds nothing, no request leaves the server."""
    address = api.visitor.address
    with visiting(browser, address, viewport=size, color_scheme=colours) as page:
        page.goto(f"{address}/api/docs")
        assert page.title() == "Watchbook API"
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"]
        assert page.evaluate("getComputedStyle(document.body).margin") == "0px"
        assert violations(page) == []


def test_the_page_tells_of_everything(api: Api) -> None:
    """Every operation with its address, every parameter, and a link to the shape it answers."""
    told = api.visitor.ask("/api/docs")
    assert told.status == 200
    text = told.body.decode()
    for operation in OPERATIONS:
        assert f"<code>{operation.address}</code>" in text
        assert f'href="#shape-{operation.answer.__name__}"' in text
        for one in operation.parameters:
            assert f"<code>{one.name}</code>" in text
    policy = told.headers["content-security-policy"]
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in text
    assert ' href="/' not in text  # Watchbook may lie below a path of its host
    assert " style=" not in text
    assert api.visitor.ask("/api/docs", If_None_Match=told.headers["etag"]).status == 304
