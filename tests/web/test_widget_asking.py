"""When the component asks, whom, and what becomes of it as pages change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import browser
from tests.web.elsewhere import (
    LAST,
    NOTHING,
    NOW,
    WALL,
    Places,
    Said,
    asked_again,
    element,
    episode,
    film,
    in_state,
    places,
    visiting,
)

__all__ = ["browser"]

BROKEN = "status of 500"
HIDE = """hidden => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange'));
}"""
"""Lets a page believe that it is out of sight; a headless browser shows every page."""
COUNT = """window.heard = 0, window.moments = [];
for (const name of ['loaded', 'failed'])
    addEventListener(`watchbook:${name}`, () => { moments.push(Date.now()); heard += 1 });"""


@pytest.fixture
def two() -> Iterator[Places]:
    """A Watchbook, and somebody's page elsewhere."""
    with places() as both:
        yield both


@pytest.fixture
def page(browser: Browser, two: Places) -> Iterator[Page]:
    """A page with a clock of its own that may talk to both."""
    with visiting(browser, two.watchbook, two.site, excused=BROKEN) as page:
        page.clock.install(time="2026-11-21T08:59:59Z")
        page.clock.pause_at(NOW)
        page.add_init_script(COUNT)
        yield page


def asked(page: Page, two: Places, path: str = LAST) -> int:
    """How often the Watchbook was asked, all answers having arrived."""
    page.evaluate("fetch('/favicon.ico')")  # what was asked before this has been asked by now
    page.wait_for_function("times => window.heard >= times", arg=two.watchbook.total(path))
    return two.watchbook.total(path)


def answered(page: Page, two: Places, times: int) -> None:
    """Wait for that many answers or failures, and see that no more questions were asked."""
    page.wait_for_function("times => window.heard >= times", arg=times)
    assert asked(page, two) == times


def test_it_asks_again_every_five_minutes(page: Page, two: Places) -> None:
    """Not before five minutes are over, and before six are; what is new is shown."""
    page.goto(two.page(element()))
    in_state(page, "loaded")
    two.watchbook.tells(LAST, film(two.watchbook))
    page.clock.run_for("04:59")
    answered(page, two, 1)
    asked_again(page, two.watchbook)
    expect(page.locator("watchbook-last .title")).to_have_text("Perfect Days")


def test_times_go_on_without_news(page: Page, two: Places) -> None:
    """The same answer again changes nothing but how long ago it is; the picture is the same."""
    two.watchbook.tells(LAST, episode(two.watchbook, watched_at="2026-11-21T08:50:25Z"))
    page.goto(two.page(element()))
    in_state(page, "loaded")
    expect(page.locator("watchbook-last time")).to_have_text("10 minutes ago")
    picture = page.locator("watchbook-last img").element_handle()
    asked_again(page, two.watchbook)
    expect(page.locator("watchbook-last time")).to_have_text("15 minutes ago")
    assert picture.evaluate("one => one.isConnected")


KEPT = {"ETag": '"1"', "Cache-Control": "public, max-age=60, stale-while-revalidate=86400"}


def test_what_has_not_changed_is_not_sent_again(page: Page, two: Places) -> None:
    """Each question goes to the server, which need not repeat itself; nothing old is shown."""
    said = two.watchbook.says[LAST]
    two.watchbook.says[LAST] = replace(said, headers={**said.headers, **KEPT})
    page.goto(two.page(element()))
    in_state(page, "loaded")
    asked_again(page, two.watchbook)
    assert two.watchbook.unchanged[LAST] == 1
    two.watchbook.tells(LAST, film(two.watchbook))
    asked_again(page, two.watchbook)
    expect(page.locator("watchbook-last .title")).to_have_text("Perfect Days")


def test_a_watchbook_that_is_away_is_remembered(browser: Browser, two: Places) -> None:
    """On a new page, with nobody answering, what the browser has kept is shown as stale."""
    said = two.watchbook.says[LAST]
    two.watchbook.says[LAST] = replace(said, headers={**said.headers, **KEPT})
    with visiting(browser, two.watchbook, two.site, excused="ERR_EMPTY_RESPONSE") as page:
        script = '<script src="/widget.js"></script>'
        two.site.says["/widget.js"] = two.watchbook.says["/widget.js"]
        body = element(src=two.watchbook.url + "/")
        two.site.says["/"] = Said(f'<!doctype html><meta charset="utf-8">{body}{script}')
        page.goto(two.site.url)
        in_state(page, "loaded")
        two.watchbook.leave()
        page.goto("about:blank")
        page.goto(two.site.url)
        in_state(page, "stale")
        expect(page.locator("watchbook-last .title")).to_have_text("Severance")
        expect(page.locator("watchbook-last .note")).to_contain_text("As of")


def test_a_hidden_page_pauses(page: Page, two: Places) -> None:
    """Out of sight nothing is asked, for however long; back in sight it is, at once."""
    page.goto(two.page(element()))
    in_state(page, "loaded")
    page.evaluate(HIDE, True)
    page.clock.run_for("02:00:00")
    assert asked(page, two) == 1
    two.watchbook.tells(LAST, film(two.watchbook))
    page.evaluate(HIDE, False)
    answered(page, two, 2)
    expect(page.locator("watchbook-last .title")).to_have_text("Perfect Days")


def test_a_glance_away_asks_nothing_more(page: Page, two: Places) -> None:
    """Hidden and shown again within the five minutes, the question comes when it was due."""
    page.goto(two.page(element()))
    in_state(page, "loaded")
    page.clock.run_for("02:00")
    page.evaluate(HIDE, True)
    page.clock.run_for("00:30")
    page.evaluate(HIDE, False)
    assert asked(page, two) == 1
    asked_again(page, two.watchbook)


def test_failures_are_asked_about_less_and_less(page: Page, two: Places) -> None:
    """Soon at first, then at double the distance each time, never more than an hour apart."""
    two.watchbook.tells(LAST, {}, status=500)
    page.goto(two.page(element()))
    in_state(page, "failed")
    minutes = [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    for times, wait in enumerate(minutes, 1):
        while page.evaluate("heard") == times:
            page.clock.run_for(int(wait * 6_000))
    moments = page.evaluate("moments")
    for wait, one, other in zip(minutes, moments, moments[1:], strict=False):
        # A tenth of chance, a step of the clock, and the patience with an answer.
        assert wait <= (other - one) / 60_000 <= wait * 1.1 + wait / 10 + 0.34


def test_an_answer_that_never_comes_counts_as_a_failure(page: Page, two: Places) -> None:
    """After twenty seconds it is given up."""
    two.watchbook.tells(LAST, {}, held=threading.Event())
    page.goto(two.page(element()))
    in_state(page, "loading")
    page.clock.run_for("00:21")
    in_state(page, "failed")


@pytest.mark.parametrize("body", ["<html>", "null", "7", "[]", '{"ok": "yes"}', ""])
def test_odd_answers_break_nothing(page: Page, two: Places, body: str) -> None:
    """What is no answer of a Watchbook is a failure or nothing to show, never an error."""
    two.watchbook.says[LAST] = replace(two.watchbook.says[LAST], body=body)
    page.goto(two.page(element()))
    page.wait_for_function(
        "() => ['failed', 'empty'].some("
        "state => document.querySelector('watchbook-last').matches(`:state(${state})`))"
    )


def test_attributes_are_followed(page: Page, two: Places) -> None:
    """Another layout, locale or theme is drawn at once; another account is asked for."""
    page.goto(two.page(element()))
    in_state(page, "loaded")
    change = "([name, value]) => document.querySelector('watchbook-last').setAttribute(name, value)"
    page.evaluate(change, ["layout", "line"])
    expect(page.locator("watchbook-last .line")).to_be_visible()
    page.evaluate(change, ["locale", "fr"])
    expect(page.locator("watchbook-last time")).to_have_text("hier")
    assert asked(page, two) == 1
    page.evaluate(change, ["account", "sam smith"])
    in_state(page, "loaded")
    assert two.watchbook.asked[f"{LAST}?account=sam+smith"] == 1


def test_attributes_are_followed_while_it_is_out_of_the_page(page: Page, two: Places) -> None:
    """Pages take elements out and put them in again: it never shows somebody else's last watch."""
    page.goto(two.page(element()))
    in_state(page, "loaded")
    page.evaluate(
        "() => { const one = document.querySelector('watchbook-last'), home = one.parentNode;"
        " one.remove(); one.setAttribute('account', 'sam'); home.append(one); }"
    )
    in_state(page, "loaded")
    assert two.watchbook.asked[f"{LAST}?account=sam"] == 1
    page.evaluate(
        "() => { const one = document.querySelector('watchbook-last'), home = one.parentNode;"
        " one.remove(); home.append(one); }"
    )
    in_state(page, "loaded")
    assert asked(page, two) == 2


def test_a_wall_finds_out_whose_it_is(page: Page, two: Places) -> None:
    """Without an account the wall asks whose Watchbook it is, then for the last plays."""
    page.goto(two.page(element(layout="wall", limit="5")))
    expect(page.locator("watchbook-last li a")).to_have_count(8)
    assert two.watchbook.asked[LAST] == 1
    assert two.watchbook.asked[f"{WALL}?limit=5"] == 1


@pytest.mark.parametrize(
    ("limit", "asked_for"), [("5000", 50), ("0", 12), ("-3", 1), ("x", 12), ("2.7", 2)]
)
def test_a_limit_stays_within_reason(page: Page, two: Places, limit: str, asked_for: int) -> None:
    """An odd number of posters is a number that makes sense."""
    page.goto(two.page(element(layout="wall", account="alex", limit=limit)))
    in_state(page, "loaded")
    assert two.watchbook.asked[f"{WALL}?limit={asked_for}"] == 1


def test_src_names_a_watchbook_or_its_data(page: Page, two: Places) -> None:
    """An address that ends with a slash is a Watchbook's; others are the data's own."""
    for path in ("/books/api/trakt/last", "/data/last.json"):
        two.watchbook.tells(path, film(two.watchbook))
    for src in ("books/", two.watchbook.url + "/books/", "/data/last.json", "data/last.json"):
        page.goto(two.page(element(src=src, account="alex")))
        in_state(page, "loaded")
        expect(page.locator("watchbook-last .title")).to_have_text("Perfect Days")
    assert two.watchbook.asked["/books/api/trakt/last?account=alex"] == 2
    assert two.watchbook.asked["/data/last.json"] == 2
    page.goto(two.page(element(src="http://")))
    in_state(page, "failed")


@pytest.mark.parametrize("how", ["module", "import", "async"])
def test_the_script_knows_where_it_is_from(page: Page, two: Places, how: str) -> None:
    """As a module, imported by another, or a plain script: it asks the server it came from."""
    url = f"{two.watchbook.url}/widget.js"
    script = {
        "module": f'<script type="module" src="{url}"></script>',
        "import": f'<script type="module">await import("{url}")</script>',
        "async": f'<script async src="{url}"></script>',
    }[how]
    address = two.page(element(), head=script)
    said = two.site.says["/"]
    assert isinstance(said.body, str)
    plain = f'<script src="{url}"></script>'
    two.site.says["/"] = replace(said, body=said.body.replace(f"</main>{plain}", "</main>"))
    page.goto(address)
    in_state(page, "loaded")


def test_loaded_twice_is_harmless(page: Page, two: Places) -> None:
    """A page that brings the script twice has one component, and no error."""
    again = f'<script src="{two.watchbook.url}/widget.js?again"></script>'
    page.goto(two.page(element(), again))
    in_state(page, "loaded")
    assert asked(page, two) == 1


def test_taken_out_of_the_page_it_stops(page: Page, two: Places) -> None:
    """A component that is gone asks nothing; put back, it goes on."""
    page.goto(two.page(element()))
    in_state(page, "loaded")
    answered(page, two, 1)
    page.evaluate("(window.kept = document.querySelector('watchbook-last')).remove()")
    page.clock.run_for("30:00")
    assert asked(page, two) == 1
    page.evaluate("document.querySelector('main').append(window.kept)")
    page.clock.run_for("00:01")
    answered(page, two, 2)


def test_it_tells_the_page(page: Page, two: Places) -> None:
    """`watchbook:loaded` brings the data, `watchbook:failed` the reason; both bubble."""
    listen = """<script>
        window.told = [];
        for (const name of ['loaded', 'failed'])
            addEventListener(`watchbook:${name}`, e => told.push([name, Object.keys(e.detail)]));
    </script>"""
    page.goto(two.page(element(), head=listen))
    in_state(page, "loaded")
    two.watchbook.tells(LAST, {}, status=500)
    page.evaluate("document.querySelector('watchbook-last').refresh()")
    in_state(page, "stale")
    assert page.evaluate("told") == [["loaded", ["data"]], ["failed", ["reason"]]]


def test_what_was_public_and_is_not_any_more_is_gone(page: Page, two: Places) -> None:
    """When a part is switched off, the next answer empties the component."""
    page.goto(two.page(element()))
    in_state(page, "loaded")
    two.watchbook.tells(LAST, NOTHING)
    asked_again(page, two.watchbook)
    in_state(page, "empty")
    expect(page.locator("watchbook-last .title")).to_have_count(0)
