"""The site's pages: the owner's front page, which names the endpoints, and the endpoints."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path, reverse

_RELS = {
    "indieauth-metadata": "auth-metadata",
    "authorization_endpoint": "auth",
    "token_endpoint": "token",
    "micropub": "micropub",
}


def front(_request: HttpRequest) -> HttpResponse:
    """A page with the links that the library's manual asks for."""
    links = (
        f'<link rel="{rel}" href="{reverse(f"indieweb:{name}")}">' for rel, name in _RELS.items()
    )
    return HttpResponse(f"<!DOCTYPE html><html><head>{''.join(links)}</head></html>")


urlpatterns = [path("", front), path("indieweb/", include("indieweb.urls"))]
