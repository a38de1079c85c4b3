"""Headers: what every answer carries, and what an answer may say of itself."""

from __future__ import annotations

import pytest

from watchbook.web.security import CSP, Security, digest, policy


def whole(headers: dict[str, str] | None = None, *, https: bool = False) -> dict[str, str]:
    """The headers of an answer that says ``headers`` of itself."""
    said = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    found = Security(https=https).complete(said)
    assert len({name for name, _ in found}) == len(found), "a header stands there twice"
    return {name.decode(): value.decode() for name, value in found}


def test_an_answer_that_says_nothing_may_do_nothing() -> None:
    """No script, no style, no frame, no other origin, no guessing of types."""
    found = whole()
    assert found["x-content-type-options"] == "nosniff"
    assert found["x-frame-options"] == "DENY"
    assert found["cache-control"] == "no-store"
    assert found["referrer-policy"] == "same-origin"
    assert found["cross-origin-opener-policy"] == "same-origin"
    assert found["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in found["permissions-policy"]
    assert "default-src 'none'" in found[CSP.lower()]
    assert "frame-ancestors 'none'" in found[CSP.lower()]


def test_what_an_answer_says_of_itself_stays() -> None:
    """A public picture may be shown by other origins."""
    found = whole({"Cross-Origin-Resource-Policy": "cross-origin", "Content-Type": "image/png"})
    assert found["cross-origin-resource-policy"] == "cross-origin"
    assert found["content-type"] == "image/png"


@pytest.mark.parametrize(("ancestors", "denied"), [("*", False), ("'none'", True)])
def test_only_an_answer_that_may_be_framed_is(ancestors: str, *, denied: bool) -> None:
    """The older header agrees with the policy."""
    found = whole({CSP: policy(frame_ancestors=ancestors)})
    assert ("x-frame-options" in found) is denied
    assert f"frame-ancestors {ancestors}" in found[CSP.lower()]


@pytest.mark.parametrize(
    ("base_url", "promised"), [("https://watch.example", True), ("http://watch.example", False)]
)
def test_https_is_promised_only_where_people_come_by_it(base_url: str, *, promised: bool) -> None:
    """HSTS on plain HTTP would mean nothing, and later lock people out."""
    found = {name for name, _ in Security.of(base_url).complete([])}
    assert (b"strict-transport-security" in found) is promised


def test_a_policy_names_what_is_allowed() -> None:
    """Directives are named as in Python; nothing else is allowed."""
    found = policy(style_src=digest("a { }"), img_src="'self' data:")
    assert found.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; ")
    assert "; img-src 'self' data:; " in found
    assert found.endswith("; frame-ancestors 'none'")


def test_a_digest_is_that_of_browsers() -> None:
    """SHA-256 in base 64, here of the empty text."""
    assert digest("") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


@pytest.mark.parametrize("source", ["'unsafe-inline'", "'self' 'unsafe-eval'", "'unsafe-hashes'"])
def test_an_unsafe_policy_is_a_fault(source: str) -> None:
    """Nobody weakens it by a word."""
    with pytest.raises(ValueError, match="unsafe"):
        policy(script_src=source)
