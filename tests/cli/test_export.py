"""`watchbook export`."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.cli.conftest import Book, Run
from tests.exporting.conftest import Filled, film, film_play, listed
from watchbook.clock import now
from watchbook.exporting.formats import FORMATS
from watchbook.store import accounts


@pytest.fixture
def sandra(book: Book, tmp_path: Path) -> Filled:
    """Two plays and a watchlist in Sandra's book."""
    made = Filled(book.store, book.account, tmp_path)
    made.plays(
        film_play(1, 1, "2026-05-01T21:59:00.000Z"), film_play(2, 2, "2026-05-01T22:00:00.000Z")
    )
    made.items("watchlist", listed(1, "movie", {"movie": film(4)}))
    return made


def ids(text: str) -> list[str]:
    """The history ids in a table of plays."""
    return [row["history_id"] for row in csv.DictReader(io.StringIO(text))]


def test_a_file_appears_in_this_folder(run: Run, sandra: Filled, tmp_path: Path) -> None:
    """Its name says whose it is and of which day; the words say what is in it."""
    ended = run("export", "csv")
    (path,) = tmp_path.glob("watchbook-*.csv")
    assert path.name == f"watchbook-sandra-{now():%Y%m%d}.csv"
    assert ended.code == 0
    assert ended.out == f"sandra: 2 plays.\n  {path.name}\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_plays_are_told_first(run: Run, sandra: Filled) -> None:
    """However many other kinds there are."""
    assert run("export", "trakt-zip").out.startswith("sandra: 2 plays, ")


def test_an_odd_name_leads_to_no_other_folder(run: Run, sandra: Filled, tmp_path: Path) -> None:
    """An account may have been named by an archive that somebody else wrote."""
    with sandra.store.database.write() as conn:
        accounts.change(conn, sandra.account.id, name="../../sam & co")
    assert run("export", "csv").code == 0
    (path,) = tmp_path.glob("watchbook-*")
    assert path.name == f"watchbook--sam-co-{now():%Y%m%d}.csv"
    assert path.is_file()


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_name_of_its_own(run: Run, sandra: Filled, name: str) -> None:
    """All of them fit into one folder on one day."""
    for other in FORMATS:
        assert run("export", other).code == 0
    ended = run("export", name)
    assert ended.code == 2
    assert "is there already. Nothing was written." in ended.err
    assert run("export", name, "--force").code == 0


def test_the_table_goes_through_a_pipe(run: Run, sandra: Filled) -> None:
    """Nothing else is on standard output, not even the mark that Excel wants in a file."""
    ended = run("export", "csv", "-o", "-")
    assert ended.out.startswith("watched_at,")
    assert ids(ended.out) == ["2", "1"]
    assert ended.err == ""
    assert json.loads(run("export", "json", "-o", "-").out)["account"] == "sandra"


def test_what_a_killed_run_left_of_a_pipe_is_swept(
    run: Run, sandra: Filled, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in the private home, not where everybody's files do, and goes a day later."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    dead, living = home / ".export-dead", home / ".export-living"
    for folder in (dead, living):
        folder.mkdir()
        (folder / "export").write_bytes(b"plays")
    yesterday = now().timestamp() - 25 * 3600
    os.utime(dead, (yesterday, yesterday))
    elsewhere.chmod(0o500)
    assert run("export", "csv", "-o", "-").code == 0
    assert [path.name for path in home.glob(".export-*")] == [living.name]
    assert list(elsewhere.iterdir()) == []


def test_what_must_be_told_goes_beside_the_pipe(run: Run, sandra: Filled) -> None:
    """Notes go to standard error."""
    ended = run("export", "csv", "-o", "-", "--what", "plays", "--list", "watchlist")
    assert ids(ended.out) == []
    assert "note: A play is on no list" in ended.err


def test_dates_are_days_of_the_account(run: Run, sandra: Filled) -> None:
    """Midnight in Berlin lies between the two plays."""
    assert ids(run("export", "csv", "-o", "-", "--since", "2026-05-02").out) == ["2"]
    assert ids(run("export", "csv", "-o", "-", "--until", "2026-05-02").out) == ["1"]
    assert ids(run("export", "csv", "-o", "-", "--since", "2026-05-01T22:00:00Z").out) == ["2"]
    assert ids(run("export", "csv", "-o", "-", "--since", "2026-05-01T23:30+01:00").out) == []


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "9999-12-31T23:59-12:00"])
def test_a_date_that_is_none_is_refused(run: Run, sandra: Filled, text: str) -> None:
    """With a right one."""
    ended = run("export", "csv", "-o", "-", f"--since={text}")
    assert ended.code == 2
    assert f"--since {text}".strip() in ended.err
    assert "2026-11-21" in ended.err


def test_lists_and_types_are_chosen(run: Run, sandra: Filled) -> None:
    """An unknown list is answered with those that there are."""
    ended = run("export", "csv", "-o", "-", "--list", "watchlist", "--type", "movie")
    assert "Film 4" in ended.out
    assert (
        "Film 4" not in run("export", "csv", "-o", "-", "--list", "watchlist", "--type", "show").out
    )
    ended = run("export", "csv", "-o", "-", "--list", "watch")
    assert ended.code == 2
    assert "There is no list called watch." in ended.err
    assert "The lists are: watchlist, favorites." in ended.err


def test_a_folder_gets_all_tables(run: Run, sandra: Filled, tmp_path: Path) -> None:
    """One that is there, or one that ends in a slash; other formats put their file into it."""
    assert run("export", "csv", "-o", "new/").code == 0
    assert (tmp_path / "new" / "watchlist.csv").is_file()
    assert run("export", "json", "-o", "new").code == 0
    assert run("export", "csv", "-o", "new", "--what", "ratings").code == 0
    day = f"{now():%Y%m%d}"
    assert (tmp_path / "new" / f"watchbook-sandra-{day}.json").is_file()
    assert (tmp_path / "new" / f"watchbook-sandra-ratings-{day}.csv").is_file()
    assert run("export", "csv", "-o", "new").code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("json", "--what", "ratings"), "--what is for csv, not json."),
        (("csv", "--what", "films"), "There is no table called films."),
        (("csv", "--reviews"), "--reviews is for letterboxd, not csv."),
        (("sqlite", "-o", "-"), "sqlite does not go to standard output."),
        (("json", "-o", "-", "--json"), "cannot both go to standard output"),
        (("pdf",), "'pdf' is not one of 'csv', 'json', 'letterboxd', 'trakt-zip', 'sqlite'"),
    ],
)
def test_what_does_not_fit_is_refused(
    run: Run, sandra: Filled, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Before anything is written."""
    ended = run("export", *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert not list(tmp_path.glob("watchbook-*"))


def test_the_report_is_json_when_asked_for(run: Run, sandra: Filled, tmp_path: Path) -> None:
    """Files, counts and notes."""
    told = json.loads(run("export", "letterboxd", "-o", "l.csv", "--json").out)
    assert told == {
        "format": "letterboxd",
        "account": "sandra",
        "files": [str(tmp_path / "l.csv"), str(tmp_path / "l-watchlist.csv")],
        "counts": {"diary": 2, "watchlist": 1},
        "notes": [],
    }


def test_nothing_selected_is_said(run: Run, sandra: Filled, tmp_path: Path) -> None:
    """A file without rows, or none at all, and no error."""
    ended = run("export", "csv", "--since", "2099-01-01", "-o", "a.csv")
    assert ended.code == 0
    assert "nothing was selected; what was written holds no rows" in ended.out
    assert (tmp_path / "a.csv").is_file()
    ended = run("export", "letterboxd", "--list", "favorites", "-o", "b.csv")
    assert ended.code == 0
    assert ended.out == "Nothing was selected, so nothing was written.\n"


def in_child(
    *arguments: str, die_at: str = "", room: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that is killed at a step or may not write large files."""

    def limit() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return subprocess.run(
        [sys.executable, "-m", "watchbook", *arguments],
        env=os.environ | {"_WATCHBOOK_DIE_AT": die_at},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["csv", "json", "sqlite"])
def test_a_full_disk_leaves_nothing(sandra: Filled, tmp_path: Path, name: str) -> None:
    """What is said is that there is no room; the folder is as it was."""
    sandra.plays(*(film_play(n, n) for n in range(100, 1_100)))
    (tmp_path / "new").mkdir()
    ended = in_child("export", name, "-o", "new/file", room=80_000)
    assert ended.returncode == 74, ended.stderr
    assert "Free some space" in ended.stderr
    assert list((tmp_path / "new").iterdir()) == []


def test_a_process_that_is_killed_leaves_no_half_file(sandra: Filled, tmp_path: Path) -> None:
    """Neither a file under its name nor a damaged older one."""
    (tmp_path / "old.csv").write_text("older")
    ended = in_child("export", "csv", "-o", "old.csv", "--force", die_at="export.written")
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "old.csv").read_text() == "older"
    assert in_child("export", "csv", "-o", "old.csv", "--force").returncode == 0
    assert ids((tmp_path / "old.csv").read_text("utf-8-sig")) == ["2", "1"]


def test_there_must_be_an_account(run: Run, home: Path) -> None:
    """Else the hint says how to get one."""
    ended = run("export", "csv")
    assert ended.code == 2
    assert "There is no account yet." in ended.err


def test_a_span_that_ends_before_it_begins_is_refused(run: Run, sandra: Filled) -> None:
    """Nothing lies in it, and nobody means it."""
    ended = run("export", "csv", "--since", "2026-06-01", "--until", "2026-05-01")
    assert ended.code == 2
    assert "--until 2026-05-01 is not after --since 2026-06-01" in ended.err


def test_no_folder_is_made_silently(run: Run, sandra: Filled, tmp_path: Path) -> None:
    """A misspelt folder is told by its name."""
    ended = run("export", "csv", "-o", "nonexist/x.csv")
    assert ended.code == 2
    assert f"There is no folder {tmp_path / 'nonexist'}." in ended.err
    assert not (tmp_path / "nonexist").exists()


def test_an_unknown_list_is_told_before_the_file(run: Run, sandra: Filled) -> None:
    """What is wrong with the question comes before where its answer would lie."""
    assert run("export", "csv").code == 0
    assert "There is no list called watch." in run("export", "csv", "--list", "watch").err
