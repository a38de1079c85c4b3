"""`watchbook status`: what it shows, as text and as data, and what it ends with."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from rich.console import Console

from tests.cli.conftest import Book, Run
from watchbook import clock
from watchbook.cli.columns import Row, show
from watchbook.cli.context import Context
from watchbook.jobs.health import look
from watchbook.store import budget, datasets, due, grants, leases, runs, workers
from watchbook.store.schema import budgets, pictures, titles
from watchbook.trakt.datasets import CATALOGUE
from watchbook.values import Rate

TOP = sum(line.parent is None for line in CATALOGUE)
ESCAPE = "\x1b[2J\x1b]0;owned\x07"


def synced(book: Book, outcome: str = runs.COMPLETE, words: str = "all is well") -> None:
    """A sync ended just now."""
    hint = "Try again." if outcome == runs.FAILED else None
    with book.store.database.write() as conn:
        run = runs.start(conn, book.account.id, "sync")
        runs.finish(conn, run, outcome, words, hint=hint, requests=3)


def test_without_an_account_it_says_how_to_begin(run: Run) -> None:
    """The first thing that somebody runs is no dead end."""
    ended = run("status")
    assert ended.code == 0
    assert "no account yet" in ended.out
    assert "watchbook connect" in ended.out


def test_without_an_account_the_data_is_empty(run: Run) -> None:
    """A script sees that there is nothing, in the shape it knows."""
    ended = run("status", "--json")
    assert (ended.code, json.loads(ended.out)) == (0, {"accounts": []})


def test_a_token_of_the_environment_is_a_beginning(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a host where the token is set, the next step is another one."""
    monkeypatch.setenv("WATCHBOOK_TRAKT_REFRESH_TOKEN", "a-token-that-was-printed")
    assert "watchbook sync  makes one" in run("status").out


def test_a_healthy_account_fits_on_one_screen(run: Run, book: Book) -> None:
    """All that matters about a healthy account is there, and the code is 0."""
    book.grant()
    book.play()
    book.read_all()
    synced(book)
    three_days = timedelta(days=3, hours=1)
    moment = clock.now()
    book.archive("good.tar.gz", written=moment - timedelta(days=40), checked=moment - three_days)
    ended = run("status")
    assert ended.code == 0
    for words in (
        "sandra  Trakt user sandra, owner",
        "alive, until",
        "first given by device code",
        "complete: all is well",
        "just now (",
        "3 requests",
        f"{TOP} of {TOP} read and complete",
        "1 kept",
        "good.tar.gz, proven whole 3 days ago",
        "0 of 450 reads in 300 s",
        "connected (device code)",
    ):
        assert words in ended.out
    assert len(ended.out.splitlines()) < 25


def test_a_backup_is_as_old_as_its_last_check(run: Run, book: Book) -> None:
    """An archive written long ago and read back yesterday is one day old."""
    moment = clock.now()
    year, day = timedelta(days=365), timedelta(days=1, hours=1)
    book.archive("good.tar.gz", written=moment - year, checked=moment - day)
    book.archive("damaged.tar.gz", written=moment, checked=moment, check_outcome="damaged")
    assert "good.tar.gz, proven whole 1 day ago" in run("status").out


def test_an_incomplete_archive_is_no_good_backup(run: Run, book: Book) -> None:
    """What is not whole is not shown as something to rely on."""
    moment = clock.now()
    book.archive("partial.tar.gz", written=moment, checked=moment, verdict="incomplete")
    assert "none that is good: `watchbook --account sandra backup`" in run("status").out


@pytest.mark.parametrize("left", [None, b"", b"another size"])
def test_an_archive_whose_file_is_gone_proves_nothing(
    run: Run, book: Book, home: Path, left: bytes | None
) -> None:
    """A good archive counts while its file is there; an older one that is there comes before it."""
    moment = clock.now()
    book.archive("newer.tar.gz", written=moment, checked=moment)
    path = home / "backups" / "newer.tar.gz"
    path.unlink() if left is None else path.write_bytes(left)
    shown = run("status").out
    assert "newer.tar.gz: its file is gone" in shown
    assert "proven whole" not in shown
    year = timedelta(days=365, hours=1)
    book.archive("older.tar.gz", written=moment - year, checked=moment - year)
    assert "older.tar.gz, proven whole 365 days ago" in run("status").out


def test_a_dead_grant_asks_for_a_sign_in(run: Run, book: Book) -> None:
    """The person is told what happened and what to run; the code is 77."""
    book.grant()
    book.needs_sign_in()
    ended = run("status")
    assert ended.code == 77
    assert "Trakt does not accept the refresh token. Run `watchbook connect`." in ended.out
    book.needs_sign_in("No full stop")
    assert "No full stop. Run `watchbook connect`." in run("status").out


def test_a_late_refresh_is_a_warning_only(run: Run, book: Book) -> None:
    """While the access token still serves, nobody has to sign in."""
    book.grant()
    with book.store.database.write() as conn:
        grant = grants.find(conn, book.account.id)
        assert grant is not None
        grants.settle(conn, grant, grants.State.UNCLEAR, "The answer was lost.")
    ended = run("status")
    assert ended.code == 0
    assert "was not renewed and ends at" in ended.out


def test_an_account_without_grant_says_how_to_connect(run: Run, book: Book) -> None:
    """Nobody is signed in and nothing was imported: the code is 77."""
    ended = run("status")
    assert ended.code == 77
    assert "none: `watchbook --account sandra connect`" in ended.out
    assert "`watchbook --account sandra sync`" not in ended.out


def imported(book: Book, outcome: str = runs.COMPLETE) -> None:
    """An export was taken in just now."""
    with book.store.database.write() as conn:
        run = runs.start(conn, book.account.id, "import")
        told = {"file": "sandra.zip", "source": "export"}
        runs.finish(conn, run, outcome, "complete", report=told)


def test_a_book_of_exports_needs_no_sign_in(run: Run, book: Book) -> None:
    """An account that lives on exports is healthy, also after one that could not be read."""
    imported(book)
    imported(book, runs.FAILED)
    assert run("status").code == 0
    book.data_set("history", datasets.INCOMPLETE, words="short")
    assert run("status").code == 65


def test_an_export_that_failed_is_no_life(run: Run, book: Book) -> None:
    """Where nothing was taken in, somebody has to sign in."""
    imported(book, runs.FAILED)
    assert run("status").code == 77


def test_a_sign_in_that_was_given_back_is_needed(run: Run, book: Book) -> None:
    """Who was connected after the last export has to connect again, or import a newer one."""
    imported(book)
    book.grant()
    with book.store.database.write() as conn:
        grants.remove(conn, book.account.id)
    assert run("status").code == 77
    imported(book)
    assert run("status").code == 0


def test_a_sync_that_nobody_signed_in_for(run: Run, book: Book) -> None:
    """A sync that failed for want of a sign-in is no trouble that passes: 77, not 75."""
    synced(book, runs.FAILED, "sandra is not signed in to Trakt.")
    assert run("status").code == 77


def test_an_import_makes_a_mistaken_sync_good(run: Run, book: Book) -> None:
    """Who lives on exports is well again after the next one, here and for who watches over it."""
    imported(book)
    synced(book, runs.FAILED, "sandra is not signed in to Trakt.")
    assert (run("status").code, look(book.store.database).failing) == (77, 1)
    imported(book)
    ended = run("status")
    assert (ended.code, look(book.store.database).failing) == (0, 0)
    assert "last import" in ended.out
    assert "sandra.zip, just now" in ended.out
    assert "last sync" not in ended.out
    book.grant()
    assert look(book.store.database).failing == 1


def test_a_locked_account_ends_with_77(run: Run, book: Book) -> None:
    """Only Trakt's support can help, and status says so."""
    book.change(locked="Trakt has locked this account (423).")
    ended = run("status")
    assert ended.code == 77
    assert "Trakt has locked this account (423)." in ended.out


def test_what_is_missing_is_named(run: Run, book: Book) -> None:
    """An incomplete data set is shown with its words; the code is 65."""
    book.grant()
    book.read_all()
    book.data_set("notes_movies", datasets.INCOMPLETE, words="2 fewer than the 5 that Trakt claims")
    synced(book, runs.INCOMPLETE, "incomplete: notes_movies")
    ended = run("status")
    assert ended.code == 65
    assert f"{TOP - 1} of {TOP} read and complete" in ended.out
    assert "notes_movies incomplete: 2 fewer than the 5 that Trakt claims" in ended.out


def test_removals_that_are_held_back_are_counted(run: Run, book: Book) -> None:
    """What waits for a person's word is shown, and counts as incomplete."""
    book.grant()
    book.data_set("history", datasets.INCOMPLETE, words="40 rows vanished at once", held=40)
    ended = run("status")
    assert ended.code == 65
    assert "40 removals held back" in ended.out


def test_what_was_never_read_is_missing(run: Run, book: Book) -> None:
    """A first sync that was interrupted leaves no healthy copy: what it did not reach is named."""
    book.grant()
    book.data_set("user_settings")
    book.data_set("list_items/7")
    ended = run("status")
    assert ended.code == 65
    assert f"2 of {TOP + 1} read and complete" in ended.out
    assert f"{TOP - 1} not read yet: " in ended.out
    (found,) = json.loads(run("status", "--json").out)["accounts"]
    assert "history" in found["data_sets"]["unread"]
    assert "user_settings" not in found["data_sets"]["unread"]


def test_nothing_was_ever_read(run: Run, book: Book) -> None:
    """Before the first sync there is no count of what is missing."""
    ended = run("status")
    assert "never read" in ended.out
    assert "not read yet" not in ended.out


def test_what_trakt_does_not_offer_is_no_fault(run: Run, book: Book) -> None:
    """A data set that is for VIP only is named with the reason; the copy is healthy."""
    book.grant()
    book.read_all()
    book.data_set("saved_filters", datasets.UNAVAILABLE, words="unavailable, because of VIP")
    ended = run("status")
    assert ended.code == 0
    assert "saved_filters unavailable, because of VIP" in ended.out


def test_many_names_are_counted_unless_asked_for(run: Run, book: Book) -> None:
    """What an export does not hold takes a short line; --all names each."""
    names = sorted(line.name for line in CATALOGUE if line.parent is None)[:7]
    for name in names:
        book.data_set(name, datasets.UNAVAILABLE, words="unavailable, as told")
    assert "7 kinds unavailable, as told" in run("status").out
    assert f"{', '.join(names)} unavailable, as told" in run("status", "--all").out


def test_a_failed_sync_ends_with_75(run: Run, book: Book) -> None:
    """The last failure stays visible, with its words and what to do."""
    book.grant()
    synced(book, runs.FAILED, "Trakt could not be reached.")
    ended = run("status")
    assert ended.code == 75
    assert "failed: Trakt could not be reached." in ended.out
    assert "Try again." in ended.out


def test_a_run_that_nobody_holds_was_interrupted(run: Run, book: Book) -> None:
    """A sync whose process was killed is not shown as running."""
    book.grant()
    with book.store.database.write() as conn:
        runs.start(conn, book.account.id, "sync")
    ended = run("status")
    assert ended.code == 75
    assert "interrupted: The process ended before the run did." in ended.out


def test_what_runs_now_is_shown(run: Run, book: Book) -> None:
    """A sync at work is shown with its process, and is no failure."""
    book.grant()
    with book.store.database.write() as conn:
        runs.start(conn, book.account.id, "sync")
    with leases.holding(book.store.database, f"account:{book.account.id}", "a sync of sandra"):
        ended = run("status")
    assert ended.code == 0
    assert "a sync of sandra since" in ended.out
    assert f"on {socket.gethostname()}" in ended.out


def test_the_budget_is_what_the_budget_counts(run: Run, book: Book) -> None:
    """Reads spent just now are shown, and a block that Trakt asked for."""
    reads = budget.ReadBudget(book.store.database, book.account.id, Rate(450, 300))
    for _ in range(5):
        reads.spend()
    reads.give_back()
    assert "5 of 450 reads in 300 s" in run("status").out
    reads.block_for(600)
    assert "5 of 450 reads in 300 s, none before" in run("status").out


def test_old_reads_and_blocks_do_not_count(run: Run, book: Book) -> None:
    """The budget's window has an end."""
    row = {"account_id": book.account.id, "used": '{"1":400}', "blocked_until": 1}
    with book.store.database.write() as conn:
        conn.execute(sa.insert(budgets).values(row))
    shown = run("status").out
    assert "0 of 450 reads in 300 s\n" in shown


def test_a_few_grant_events_or_all(run: Run, book: Book) -> None:
    """The newest five events are shown, with --grants every one that is kept."""
    book.grant()
    with book.store.database.write() as conn:
        for number in range(9):
            words = f"attempt {number}"
            grants.record(conn, book.account.id, grants.Event.PUT_OFF, words=words)
    few, every = run("status").out, run("status", "--grants").out
    assert (few.count("put off"), every.count("put off")) == (5, 9)
    assert "attempt 8" in few
    assert "connected" in every


def test_the_most_urgent_need_decides_the_code(run: Run, book: Book) -> None:
    """Of two accounts, one incomplete and one without a sign-in, the sign-in comes first."""
    book.grant()
    book.data_set("history", datasets.INCOMPLETE, words="short")
    with book.store.database.write() as conn:
        other = book.add(conn, "tom")
    assert run("--account", "tom", "status").code == 77
    assert run("status").code == 77
    book.account = other
    imported(book)
    assert run("status").code == 65
    assert run("--account", "tom", "status").code == 0
    book.change(locked="locked")
    assert run("status").code == 77
    assert run("status", "--account", "sandra").code == 65


def test_an_unknown_account_is_an_error(run: Run, book: Book) -> None:
    """A mistyped name is not shown as an account without data."""
    ended = run("status", "--account", "sandar")
    assert ended.code == 2
    assert "no account called sandar" in ended.err


def test_the_data_says_the_same(run: Run, book: Book) -> None:
    """With --json all of it is there as data, with the same code and nothing else printed."""
    book.grant()
    book.data_set("history", datasets.INCOMPLETE, words="short", held=3)
    synced(book, runs.INCOMPLETE, "incomplete: history")
    ended = run("status", "--json")
    (found,) = json.loads(ended.out)["accounts"]
    assert ended.code == 65
    assert ended.err == ""
    assert found["health"] == "the copy is incomplete"
    assert found["sign_in"]["state"] == "alive"
    assert found["last_sync"]["requests"] == 3
    assert found["data_sets"]["incomplete"] == {"history": "short"}
    assert found["data_sets"]["held"] == 3
    assert found["events"][0]["event"] == "connected"
    assert clock.from_iso(found["sign_in"]["alive_until"]) > clock.now()


@pytest.mark.parametrize("form", [(), ("--json",), ("--grants",)])
def test_no_token_is_shown(run: Run, book: Book, form: tuple[str, ...]) -> None:
    """Status speaks about tokens without ever showing one, even one that got into words."""
    book.grant(access="the-access-token-itself")
    book.needs_sign_in("Refused: access_token=the-access-token-itself.")
    shown = run("status", *form)
    assert "the-access-token-itself" not in shown.out + shown.err


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        (ESCAPE, r"\x1b[2J\x1b]0;owned\x07"),
        ("[/bold] [red]x", "[/bold] [red]x"),
        ("a\u202eb", r"a\u202eb"),
        ("line\nbreak", r"line\nbreak"),
    ],
)
def test_hostile_words_do_nothing(run: Run, book: Book, hostile: str, shown: str) -> None:
    """Words that came from outside move no cursor, start no line and are no markup."""
    synced(book, runs.FAILED, f"Trakt said {hostile} and more")
    assert f"Trakt said {shown} and more\n" in run("status").out
    (found,) = json.loads(run("status", "--json").out)["accounts"]
    assert found["last_sync"]["words"] == f"Trakt said {shown} and more"


def test_long_words_stay_in_their_column() -> None:
    """On a terminal a long line goes on below its own beginning."""
    context = Context()
    drawn = io.StringIO()
    context.console = Console(file=drawn, force_terminal=True, width=40, color_system=None)
    show(context, [Row("topic", "word " * 20)], head="Head", aside="aside")
    head, *lines = drawn.getvalue().splitlines()
    assert head.endswith("aside")
    assert len(lines) > 2
    assert all(len(line) <= 40 for line in lines)
    assert all(line.startswith(" " * 9 + "word") for line in lines[1:])


def test_without_a_terminal_each_thing_is_one_line() -> None:
    """A pipe gets no colours and no broken lines."""
    context = Context()
    drawn = io.StringIO()
    context.console = Console(file=drawn, width=40)
    show(context, [Row("topic", "word " * 20, "bold red"), Row("", "more")])
    assert drawn.getvalue().splitlines() == [f"  topic  {'word ' * 20}".rstrip(), "         more"]


def planned(book: Book, seconds: int) -> None:
    """The schedule has a sync and a backup in so many seconds."""
    moment = clock.to_millis(clock.now() + timedelta(seconds=seconds))
    rows = [due.Due(book.account.id, kind, moment, None) for kind in ("sync", "backup")]
    with book.store.database.write() as conn:
        due.add(conn, rows)


def at_work(book: Book) -> None:
    """A service is alive."""
    with book.store.database.write() as conn:
        workers.register(conn, "watchbook", leases.holder_name("the schedule"))


def test_schedule_says_what_is_next(run: Run, book: Book) -> None:
    """Beside a living service it is told when what is next, for a person and as data."""
    planned(book, 190)
    at_work(book)
    assert "schedule   next sync in 3 minutes, next backup in 3 minutes" in run("status").out
    found = json.loads(run("status", "--json").out)["accounts"][0]["outlook"]
    assert found["service"] is True
    assert found["warning"] is None


def test_whether_a_service_runs(run: Run, book: Book) -> None:
    """Nothing for who never had one; a killed one is known to be gone at once."""
    assert "service" not in run("status").out
    planned(book, 190)
    assert "service    none is running" in run("status").out
    at_work(book)
    assert f", process {os.getpid()} on {socket.gethostname()}" in run("status").out
    code = "from watchbook.store import leases; print(leases.holder_name('the schedule'))"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    with book.store.database.write() as conn:
        workers.register(conn, "watchbook", dead.stdout.strip())
    assert "service    none is running" in run("status").out


def test_stalled_schedule_is_told(run: Run, book: Book) -> None:
    """What was due long ago says whether to start a service or to read its log."""
    planned(book, -3600)
    assert "no service runs: `watchbook serve`" in run("status").out
    at_work(book)
    assert "its log says why" in run("status").out


def test_who_went_back_to_cron_is_left_in_peace(run: Run, book: Book) -> None:
    """A schedule that nobody follows any more is no news while syncs go on by hand."""
    assert "schedule" not in run("status").out
    planned(book, -3600)
    synced(book)
    assert "schedule" not in run("status").out


def test_pictures_are_counted(run: Run, book: Book) -> None:
    """What is kept, what failed and what is not to be had; nothing is said before there is any."""
    book.grant()
    synced(book)
    assert "pictures" not in run("status").out
    states = ("kept", "kept", "failed", "none", "waiting")
    with book.store.database.write() as conn:
        for number, state in enumerate(states):
            key = f"movie:{number}"
            conn.execute(sa.insert(titles).values(key=key, type="movie"))
            row = {"title_key": key, "kind": "poster", "state": state, "looked_at": 0}
            conn.execute(sa.insert(pictures).values(**row))
    told = run("status").out
    assert "2 kept, 1 waiting, 1 failed, tried again, 1 not to be had" in told
    (account,) = json.loads(run("status", "--json").out)["accounts"]
    assert account["pictures"] == {"kept": 2, "failed": 1, "none": 1, "waiting": 1}
