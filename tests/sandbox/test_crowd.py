"""Accounts of several sizes in one sandbox."""

from __future__ import annotations

from collections.abc import Callable

from tests.sandbox.conftest import Api

StartSandbox = Callable[..., Api]

CROWD = ((3, 40), (1, 700), (2, 0))
SIZES = [40, 40, 40, 700, 0, 0]


def _plays(api: Api) -> list[int]:
    """How many plays each account has, in the order of the accounts."""
    control = api.sandbox
    return [len(control.truth(account.slug)["plays"]) for account in control.accounts]


def test_each_account_has_the_plays_of_its_group(start: StartSandbox) -> None:
    """Groups come in the order given, `plays` and `accounts` have no say, and ids are unique."""
    api = start(crowd=CROWD, plays=9, accounts=9)
    assert _plays(api) == SIZES
    truths = [api.sandbox.truth(account.slug) for account in api.sandbox.accounts]
    ids = [play["id"] for truth in truths for play in truth["plays"]]
    assert len(set(ids)) == sum(SIZES)


def test_the_same_crowd_has_the_same_libraries(start: StartSandbox) -> None:
    """Plays repeat, whoever is looked at first; another seed differs."""
    first, again, other = (start(crowd=CROWD, seed=seed) for seed in (3, 3, 4))
    slugs = [account.slug for account in first.sandbox.accounts]
    assert slugs == [account.slug for account in again.sandbox.accounts]
    backwards = {slug: again.sandbox.truth(slug)["plays"] for slug in reversed(slugs)}
    assert {slug: first.sandbox.truth(slug)["plays"] for slug in slugs} == backwards
    assert other.sandbox.truth(slugs[3])["plays"] != backwards[slugs[3]]


def test_every_account_has_a_token_of_its_own(start: StartSandbox) -> None:
    """Each token leads to its own account, and more tokens can be had by name."""
    api = start(crowd=CROWD)
    told = api.sandbox.line()["accounts"]
    assert isinstance(told, list)
    for account, size, line in zip(api.sandbox.accounts, SIZES, told, strict=True):
        further = api.sandbox.issue_tokens(account.slug)["access_token"]
        assert line["access_token"] == account.access_token != further
        for token in (account.access_token, further):
            bearer = {"authorization": f"Bearer {token}"}
            settings = api.get("/users/settings", **bearer).json()
            history = api.get("/users/me/history", **bearer)
            assert settings["user"]["ids"]["slug"] == account.slug
            assert int(history.headers["x-pagination-item-count"]) == size


def test_reads_are_counted_for_each_account_alone(start: StartSandbox) -> None:
    """Who has read too much is refused; the neighbour, and the app as such, are not."""
    api = start(crowd=CROWD, rate_limit=True, rate_reads=2)
    one, other = (f"Bearer {account.access_token}" for account in api.sandbox.accounts[:2])
    statuses = [api.get("/users/me", authorization=one).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert api.get("/users/me", authorization=other).status_code == 200


def test_a_change_concerns_the_account_that_it_names(start: StartSandbox) -> None:
    """Plays are added, deleted and edited in one account; nobody else's timestamps move."""
    api = start(crowd=CROWD)
    control, slugs = api.sandbox, [account.slug for account in api.sandbox.accounts]
    before = {slug: control.truth(slug) for slug in slugs}
    (added,) = control.add_plays(1, account=slugs[4])
    control.delete_plays(3, account=slugs[3])
    control.edit_play(added["id"], "2020-01-01T20:00:00Z", account=slugs[4])
    after = {slug: control.truth(slug) for slug in slugs}
    assert _plays(api) == [40, 40, 40, 697, 1, 0]
    moved = {slug for slug in slugs if after[slug] != before[slug]}
    assert moved == {slugs[3], slugs[4]}


def test_in_a_large_crowd_a_list_is_the_callers_own(start: StartSandbox) -> None:
    """All have smart lists of the same names; whoever asks by name gets their own."""
    api = start(crowd=((1_000, 100), (5, 50_000)))
    last = api.sandbox.accounts[999]
    bearer = {"authorization": f"Bearer {last.access_token}"}
    (listed, *_) = api.get("/users/me/smart-lists", **bearer).json()
    found = api.get(f"/smart-lists/{listed['ids']['slug']}", **bearer).json()
    assert found == listed
    assert len(api.sandbox.truth(last.slug)["plays"]) == 100
    assert len(api.sandbox.accounts) == 1_005
