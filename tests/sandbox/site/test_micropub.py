from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.site.conftest import FILM, PNG

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.site.conftest import Visitor


def test_a_post_as_json(visitor: Visitor) -> None:
    """It is kept as it came, without the commands, below its date and slug."""
    url = visitor.created()
    assert url == f"{visitor.site.url}/2026/11/19/trakt-7"
    found = visitor.query(q="source", url=url).json()
    kept = {name: values for name, values in FILM.items() if name != "mp-slug"}
    assert found == {"type": ["h-entry"], "properties": {**kept, "url": [url]}}
    assert visitor.site.slugs() == {"trakt-7": 1}


def test_a_post_as_a_form(visitor: Visitor) -> None:
    """Several values of a name have brackets; it gets a date when it has none."""
    form: dict[str, Any] = {"h": "entry", "content": "A 100% +1 day", "category[]": ["a", "b"]}
    response = visitor.http.post("/micropub", data=form, headers=visitor.bearer())
    assert response.status_code == 201
    found = visitor.query(q="source", url=response.headers["location"]).json()["properties"]
    assert found["content"] == ["A 100% +1 day"]
    assert found["category"] == ["a", "b"]
    assert found["published"] == ["2026-11-20T12:00:00+00:00"]


def test_a_post_with_a_picture(visitor: Visitor) -> None:
    """A form with a file; the picture is kept and shown as it came."""
    response = visitor.http.post(
        "/micropub",
        data={"h": "entry", "content": "See"},
        files={"photo": ("a.png", PNG, "image/png")},
        headers=visitor.bearer(),
    )
    found = visitor.query(q="source", url=response.headers["location"]).json()["properties"]
    assert found["content"] == ["See"]
    assert visitor.http.get(found["photo"][0]).content == PNG


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "h-entry", "properties": {"content": ["x"]}},
        {"type": ["h-entry"], "properties": {"content": "x"}},
        {"type": ["h-entry"], "properties": ["x"]},
        {"type": ["h-entry"], "properties": {"published": ["yesterday"]}},
        {"action": "publish", "url": "https://a.example/"},
    ],
)
def test_bodies_that_are_not_right(visitor: Visitor, body: dict[str, Any]) -> None:
    """400, and nothing is made."""
    response = visitor.send(body)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert visitor.site.posts() == []


def test_bodies_of_other_types(visitor: Visitor) -> None:
    """415 for what is neither JSON nor a form, 400 for JSON that is none."""
    kinds = {"text/plain": 415, "application/json": 400, "multipart/form-data": 400}
    for kind, status in kinds.items():
        headers = {**visitor.bearer(), "content-type": kind}
        response = visitor.http.post("/micropub", content=b"{nothing", headers=headers)
        assert response.status_code == status


def test_tokens(visitor: Visitor) -> None:
    """None, an unknown one, one for other things, one in the form, and two at once."""
    form = {"h": "entry", "content": "x"}
    bare = visitor.http.post("/micropub", data=form)
    assert (bare.status_code, bare.json()["error"]) == (401, "unauthorized")
    unknown = visitor.create("unknown")
    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_token")
    narrow = visitor.create(visitor.site.issue_tokens(None, "profile")["access_token"])
    assert (narrow.status_code, narrow.json()["error"]) == (403, "insufficient_scope")
    both = {**form, "access_token": visitor.site.token}
    assert visitor.http.post("/micropub", data=both).status_code == 201
    assert visitor.http.post("/micropub", data=both, headers=visitor.bearer()).status_code == 400
    assert len(visitor.site.posts()) == 1


def test_what_the_site_says_about_itself(visitor: Visitor) -> None:
    """The configuration and its parts; what is not known is 400."""
    visitor.created()
    config = visitor.query(q="config").json()
    assert config["media-endpoint"] == visitor.site.media_endpoint
    assert visitor.query(q="syndicate-to").json() == {"syndicate-to": config["syndicate-to"]}
    assert visitor.query(q="category").json() == {"categories": ["film", "watched"]}
    assert set(config["q"]) == {"config", "source", "syndicate-to", "category"}
    assert visitor.query(q="weather").status_code == 400
    assert visitor.http.get("/micropub?q=config").status_code == 401
    assert visitor.http.put("/micropub").status_code == 405


def test_some_properties_of_a_post(visitor: Visitor) -> None:
    """Only those that are asked for."""
    url = visitor.created()
    response = visitor.http.get(
        "/micropub",
        params=[("q", "source"), ("url", url), ("properties[]", "category"), ("properties[]", "x")],
        headers=visitor.bearer(),
    )
    assert response.json() == {"properties": {"category": ["watched", "film"]}}


def test_the_list_of_posts(visitor: Visitor) -> None:
    """Newest date first, by limit and offset."""
    dates = ["2026-11-18T10:00:00Z", "2026-11-20T10:00:00Z", "2026-11-19T10:00:00Z"]
    urls = [
        visitor.created(mp_slug=[f"trakt-{n}"], published=[date]) for n, date in enumerate(dates)
    ]

    def listed(**params: str) -> list[str]:
        items = visitor.query(q="source", **params).json()["items"]
        return [item["properties"]["url"][0] for item in items]

    assert listed() == [urls[1], urls[2], urls[0]]
    assert listed(limit="1", offset="1") == [urls[2]]
    assert listed(offset="3") == []


def test_a_slug_that_comes_twice(visitor: Visitor) -> None:
    """It is the same post, left as it was; the site counts how often it was asked for."""
    first, again = visitor.created(), visitor.created(content=["Something else"])
    assert first == again
    (post,) = visitor.site.posts()
    assert post["properties"]["content"] == FILM["content"]
    assert (post["creates"], post["revision"]) == (2, 1)


def test_updates(visitor: Visitor) -> None:
    """Replace, add, take away values and whole properties; each counts as a revision."""
    url = visitor.created()
    update = {"action": "update", "url": url}
    changes: list[dict[str, Any]] = [
        {"replace": {"content": ["Better"]}},
        {"add": {"category": ["new"], "syndication": ["https://fedi.example/1"]}},
        {"delete": {"category": ["film"]}},
        {"delete": ["summary"]},
    ]
    assert [visitor.send({**update, **change}).status_code for change in changes] == [204] * 4
    found = visitor.query(q="source", url=url).json()["properties"]
    assert found["content"] == ["Better"]
    assert found["category"] == ["watched", "new"]
    assert found["syndication"] == ["https://fedi.example/1"]
    assert "summary" not in found
    assert visitor.site.posts()[0]["revision"] == 5


@pytest.mark.parametrize(
    "change",
    [
        {"replace": {"content": "x"}},
        {"replace": "x"},
        {"add": {"category": "x"}},
        {"delete": {"category": "x"}},
        {"replace": {"published": ["yesterday"]}},
        {},
    ],
)
def test_updates_that_are_not_right(visitor: Visitor, change: dict[str, Any]) -> None:
    """400, and the post stays as it was."""
    url = visitor.created()
    assert visitor.send({"action": "update", "url": url, **change}).status_code == 400
    (post,) = visitor.site.posts()
    assert (post["revision"], post["properties"]["content"]) == (1, FILM["content"])


def test_deleting_and_undeleting(visitor: Visitor) -> None:
    """As JSON and as a form; a second time is 400, and so is its source."""
    url = visitor.created()
    assert visitor.send({"action": "delete", "url": url}).status_code == 204
    assert visitor.send({"action": "delete", "url": url}).status_code == 400
    assert visitor.http.get(url).status_code == 410
    assert visitor.query(q="source", url=url).status_code == 400
    assert visitor.query(q="source").json()["items"] == []
    form = {"action": "undelete", "url": url}
    response = visitor.http.post("/micropub", data=form, headers=visitor.bearer())
    assert response.status_code == 204
    assert visitor.http.get(url).status_code == 200


def test_scopes(visitor: Visitor) -> None:
    """Each action needs its own."""
    url = visitor.created()
    token = visitor.site.issue_tokens("alice", "create")["access_token"]
    for action in ("update", "delete", "undelete"):
        body = {"action": action, "url": url, "replace": {"content": ["x"]}}
        response = visitor.send(body, token)
        assert (response.status_code, response.json()["error"]) == (403, "insufficient_scope")
    assert visitor.query(token, q="config").status_code == 200


def test_posts_belong_to_people(start: Callable[..., Visitor]) -> None:
    """Each posts below their own path, and nobody touches another's."""
    visitor = start(people=2)
    alice, bob = visitor.site.people
    url = visitor.create(bob.token).headers["location"]
    assert url == f"{bob.me}/2026/11/19/trakt-7"
    assert visitor.send({"action": "delete", "url": url}, alice.token).status_code == 403
    assert visitor.query(alice.token, q="source", url=url).status_code == 400
    assert visitor.query(alice.token, q="source").json()["items"] == []
    assert visitor.site.posts()[0]["person"] == "bob"


def test_pictures(visitor: Visitor) -> None:
    """Each upload has an address of its own, and the bytes come back as they were."""
    first, second = visitor.upload(), visitor.upload()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.headers["location"] != second.headers["location"]
    response = visitor.http.get(first.headers["location"])
    assert (response.content, response.headers["content-type"]) == (PNG, "image/png")
    assert [one["bytes"] for one in visitor.site.media()] == [len(PNG)] * 2
    assert visitor.get("/media/none.png").status_code == 404


def test_pictures_that_are_none(visitor: Visitor) -> None:
    """Another type, a lie about the type, another name of the part, no token."""
    assert visitor.upload(kind="image/svg+xml").status_code == 415
    assert visitor.upload(kind="image/jpeg").status_code == 415
    photo = {"photo": ("a.png", PNG, "image/png")}
    assert visitor.http.post("/media", files=photo, headers=visitor.bearer()).status_code == 400
    assert visitor.http.post("/media", files=photo).status_code == 401
    assert visitor.site.media() == []


def test_the_log(visitor: Visitor) -> None:
    """It tells what was asked for and by whom."""
    visitor.created()
    visitor.query(q="config")
    rows = visitor.site.requests()["requests"]
    assert [(row["action"], row["account"], row["status"]) for row in rows] == [
        ("create", "alice", 201),
        ("config", "alice", 200),
    ]


def test_edits_behind_the_clients_back(visitor: Visitor) -> None:
    """The person changes a post, deletes it, and makes as if it had never been."""
    url = visitor.created()
    visitor.site.edit_post(url, content=["By hand"], watch_of=["https://a.example/"])
    found = visitor.query(q="source", url=url).json()["properties"]
    assert (found["content"], found["watch-of"]) == (["By hand"], ["https://a.example/"])
    visitor.site.delete_post(url)
    assert visitor.http.get(url).status_code == 410
    visitor.site.delete_post(url, forget=True)
    assert visitor.http.get(url).status_code == 404
    assert visitor.site.posts() == []
