"""``watchbook demo``: the main job, end to end, against the sandbox, on a throw-away home."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from watchbook.cli.context import plain
from watchbook.clock import counted, monotonic
from watchbook.errors import WatchbookError
from watchbook.waits import wait_for

if TYPE_CHECKING:
    from watchbook.cli.context import Context
    from watchbook.cli.demo_show import ShowingDemo
    from watchbook.sandbox.site import RunningSite
    from watchbook.sandbox.tmdb import RunningTmdb
    from watchbook.sandbox.trakt import RunningSandbox
    from watchbook.store.accounts import Account
    from watchbook.verdict import SyncReport


class DemoFailed(WatchbookError):
    """The demo did not come out as it must."""


@click.command()
@click.option("--once", is_flag=True, help="Print the report and exit instead of staying up.")
@click.option(
    "--plays",
    type=click.IntRange(500, 100_000),
    default=10_000,
    show_default=True,
    help="How many plays the invented person has.",
)
@click.pass_obj
def demo(context: Context, *, once: bool, plays: int) -> None:
    """Show the main job, end to end, without touching anything real.

    Stand-ins for Trakt, with an invented person's library, for TMDB and for that person's website
    are started on this machine; Watchbook signs in, keeps a copy, follows changes, backs up,
    verifies, restores and exports, publishes what is watched, and shows it on another page. After
    that it stays up and goes on syncing, until Ctrl-C.

    Example: watchbook demo --once
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing stays behind
    started = monotonic()
    with performed(context, plays) as showing:
        context.say()
        context.say(f"All of it took {monotonic() - started:.1f} s.")
        if once:
            context.say("`.venv/bin/watchbook demo` does the same and stays up for a look.")
        else:
            _stay_up(context, showing)


@contextmanager
def performed(outer: Context, plays: int) -> Iterator[ShowingDemo]:
    """Do all of the demo; what it made and started is there until the block ends."""
    from watchbook.cli.demo_publish import PublishingDemo
    from watchbook.cli.demo_show import shown
    from watchbook.values import Listen
    from watchbook.web.server import listening

    with (
        tempfile.TemporaryDirectory(prefix="watchbook-demo-") as folder,
        listening(Listen("127.0.0.1", 0)) as listener,
        _stage(plays, listener.getsockname()[1]) as stage,
        demo_context(outer, Path(folder), stage) as inner,
    ):
        run = Demo(inner, stage)
        run.run()
        PublishingDemo(run, stage.site).run()
        with shown(run, listener) as showing:
            showing.run()
            yield showing


@dataclass(frozen=True)
class Stage:
    """The stand-ins of a demo, and where Watchbook itself answers."""

    trakt: RunningSandbox
    site: RunningSite
    tmdb: RunningTmdb
    book: str

    def settings(self, folder: Path) -> dict[str, str]:
        """Settings by which nothing but the stand-ins is reached."""
        return {
            "home": str(folder),
            "base_url": self.book,
            "allow_hosts": "127.0.0.1",
            "trakt_api_url": self.trakt.url,
            "trakt_auth_url": self.trakt.auth_url,
            "trakt_client_id": self.trakt.client_id,
            "trakt_client_secret": self.trakt.client_secret,
            "tmdb_api_url": self.tmdb.api_url,
            "tmdb_image_url": self.tmdb.image_url,
            "tmdb_token": self.tmdb.token,
            "sync_every": "1m",
            "log": "warning",
        }


@contextmanager
def _stage(plays: int, port: int) -> Iterator[Stage]:
    """Every stand-in that the demo needs; Watchbook will answer at ``port``."""
    from watchbook.sandbox import site, tmdb, trakt

    options = trakt.SandboxOptions(plays=plays, device_interval=0)
    with (
        trakt.running(options) as running_trakt,
        site.running() as running_site,
        tmdb.running() as running_tmdb,
    ):
        yield Stage(running_trakt, running_site, running_tmdb, f"http://127.0.0.1:{port}")


@contextmanager
def demo_context(outer: Context, folder: Path, stage: Stage) -> Iterator[Context]:
    """A context on a home of its own, which knows nothing of the person's settings."""
    from watchbook import logs
    from watchbook.cli.context import Context
    from watchbook.settings import load

    inner = Context(json=outer.json, quiet=outer.quiet)
    inner.console = outer.console
    inner.settings = load({}, folder, stage.settings(folder))
    logs.configure(inner.settings.log)
    try:
        yield inner
    finally:
        inner.close()


@dataclass
class Demo:
    """The steps of the demo; each prints what it did and fails loudly when it went wrong."""

    context: Context
    stage: Stage

    @property
    def sandbox(self) -> RunningSandbox:
        """The stand-in for Trakt."""
        return self.stage.trakt

    def run(self) -> None:
        """Do all steps."""
        self.context.say_styled(
            "[bold]Watchbook demo[/bold]: an invented Trakt account, kept whole, published, shown."
        )
        self.context.say()
        account = self._connect()
        first = self._sync("first sync", account, added=len(self._truth()))
        self.expect(first.complete, first.words)
        self._sync("nothing new", account, added=0, requests=1)
        before = self._back_up(account)
        self.sandbox.add_plays(3)
        self.sandbox.backdate(1)
        self.sandbox.delete_plays(1)
        self._sync("3 new, 1 back-dated, 1 deleted", account, added=4, removed=1)
        self._compare()
        after = self._back_up(account)
        self._tell_difference(before, after)
        self._restore(after)
        self._import_export()
        self._export_page(account)

    def _connect(self) -> Account:
        from watchbook import connecting
        from watchbook.trakt.auth import PIN_REDIRECT, App

        app = App(self.sandbox.client_id, self.sandbox.client_secret)
        server = self.context.installation.auth_server(app)
        device = server.start_device()
        self.line("connect", f"open {device.address} and enter {device.user_code}")
        pair = server.poll_device(device)
        issue = connecting.issue_of(pair, app, PIN_REDIRECT, "device code")
        account = connecting.connect(self.context.installation, None, app, issue)
        self.line("", f"signed in as {account.name}")
        return account

    def _sync(
        self,
        title: str,
        account: Account,
        *,
        added: int,
        removed: int = 0,
        requests: int | None = None,
    ) -> SyncReport:
        from watchbook.cli.sync import run_sync
        from watchbook.sync import SyncOptions

        report = run_sync(self.context, account, SyncOptions())
        took = report.requests
        history = [o for o in report.data_sets if o.name == "history"]
        found = (sum(o.added for o in history), sum(o.removed for o in history))
        self.expect(found == (added, removed), f"{title}: {found} instead of {(added, removed)}")
        self.expect(requests in {None, took}, f"{title}: {took} requests")
        sets = f" and {len(report.data_sets)} data sets" if added > 100 else ""
        words = f"{counted(report.plays, 'play')}{sets}" if history else "the copy is up to date"
        self.line(title, f"{words}, {counted(took, 'request')}, {_took(report.seconds)}")
        return report

    def _compare(self) -> None:
        """Hold every play of the store against what the sandbox really has."""
        from watchbook.store import plays

        with self.context.store.database.read() as conn:
            kept = set(plays.unseen_ids(conn, self.context.account().id, -1))
        missing = self._truth() ^ kept
        self.expect(not missing, f"{counted(len(missing), 'play')} differ from the sandbox")
        self.line("compare", f"{counted(len(kept), 'play')}: each is in the copy, none twice")

    def _truth(self) -> set[int]:
        """The history ids of all plays that the sandbox holds."""
        return {play["id"] for play in self.sandbox.truth()["plays"]}

    def _back_up(self, account: Account) -> Path:
        from watchbook.archive.backup import back_up
        from watchbook.archive.verify import verify_archive

        started = monotonic()
        written = back_up(self.context.store, account)
        seconds = monotonic() - started
        self.expect(written.complete, "the backup is not complete")
        size = f"{written.archive.bytes / 1_000_000:.1f} MB"
        self.line("back up", f"{written.path.name}, {size}, {_took(seconds)}")
        started = monotonic()
        verification = verify_archive(written.path)
        rows = counted(verification.rows, "row")
        self.line("verify", f"every byte is right: {rows}, {_took(monotonic() - started)}")
        return written.path

    def _tell_difference(self, before: Path, after: Path) -> None:
        """Say what came and went from one backup to the next."""
        from watchbook.archive.diff import compare
        from watchbook.archive.telling import totals

        history = next(one for one in compare(before, after).data_sets if one.name == "history")
        told = totals(history)
        self.expect(told == "4 added, 1 removed", f"the backups differ by {told}")
        self.line("what differs between the two", f"plays: {told}")

    def _restore(self, archive: Path) -> None:
        """Read the backup into an empty home, and hold what is there then against it."""
        from watchbook.archive.backup import back_up
        from watchbook.archive.reading_back import import_archive
        from watchbook.archive.verify import verify_archive
        from watchbook.cli.progress import Progress

        folder = self.context.settings.home / "restored"
        with (
            demo_context(self.context, folder, self.stage) as empty,
            Progress(quiet=True) as progress,
        ):
            import_archive(empty.store, archive, None, progress)
            again = back_up(empty.store, empty.account())
        same = again.manifest.content == verify_archive(archive).manifest.content
        self.expect(same, "the restored copy is not the same")
        self.line("restore into an empty home", "row for row; backed up again, it is the same")

    def _export_page(self, account: Account) -> None:
        """Write the page that opens without a server."""
        from watchbook.exporting.formats import FORMATS
        from watchbook.exporting.placing import export
        from watchbook.exporting.selection import Selection

        path = self.context.settings.home / "watchbook.html"
        export(FORMATS["html"].write, self.context.store, account, Selection(), path)
        size = f"{path.stat().st_size / 1_000_000:.1f} MB"
        self.line("export a page to look at", f"{path.name}, {size}, opens without a server")

    def _import_export(self) -> None:
        """Take in Trakt's own export of the same account: nothing may be doubled."""
        from watchbook.cli.import_ import run_import

        path = self.sandbox.export_zip(
            self.context.settings.home / "trakt-export.zip", numbered=True
        )
        report = run_import(self.context, path)
        added = report.total("added")
        self.expect(report.complete, report.words)
        self.expect(not added, f"the export added {counted(added, 'row')}")
        self.expect(report.plays == len(self._truth()), f"{report.plays:,} plays after the export")
        words = f"Trakt's ZIP of the same account: nothing doubled, {report.seconds:.1f} s"
        self.line("import the export ZIP", words)

    def line(self, title: str, words: str) -> None:
        """Tell a step that went well."""
        mark = "✓" if title else " "
        self.context.say_styled(f"  [green]{mark}[/green] {title:<32} {plain(words)}")

    def expect(self, holds: bool, words: str) -> None:  # noqa: FBT001 - reads as an assertion
        """End the demo loudly when something went wrong."""
        if not holds:
            raise DemoFailed(f"The demo failed: {words}.", hint="Please report this.")


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else "under 0.1 s"


def _stay_up(context: Context, showing: ShowingDemo) -> None:
    """Keep everything going until Ctrl-C."""

    def abandon() -> NoReturn:
        """Leave without a job that is under way, and may write on while its folder is removed."""
        for _ in range(2):
            shutil.rmtree(showing.demo.context.settings.home, ignore_errors=True)
        _say_goodbye(context)
        os._exit(0)

    with showing.kept_up_to_date(abandon):
        with suppress(KeyboardInterrupt):
            _explain(context, showing)
            wait_for(threading.Event())
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the end takes seconds, and is to be a clean one
        context.say()
        context.say("Stopping…")
        sys.stdout.flush()
    _say_goodbye(context)


def _say_goodbye(context: Context) -> None:
    context.say()
    context.say("The demo is over, and its folder is gone.")
    sys.stdout.flush()


def _explain(context: Context, showing: ShowingDemo) -> None:
    """Say how to look around."""
    stage, folder = showing.demo.stage, showing.demo.context.settings.home
    context.say()
    context.say("The stand-ins stay up until Ctrl-C. In another terminal:")
    context.say()
    for name, value in stage.settings(folder).items():
        # Printed as it is: the invented app's secret is no secret, and masked it would be useless.
        _say_raw(context, f"  export WATCHBOOK_{name.upper()}={shlex.quote(value)}")
    context.say()
    context.say("  .venv/bin/watchbook status")
    context.say("  .venv/bin/watchbook backup list")
    context.say("  .venv/bin/watchbook site show")
    context.say()
    context.say(f"The posts are at {stage.site.me}")
    context.say(f"The stand-in for Trakt shows itself at {stage.trakt.url}/")
    context.say()
    context.say("Watchbook asks it once a minute. The button on this page, or")
    _say_raw(context, f"  curl -X POST {showing.page}watch")
    context.say("lets somebody watch something; within a minute all of it shows that, by itself.")
    context.say()
    context.say_styled(f"Open this: [bold]{showing.page}[/bold]")


def _say_raw(context: Context, text: str) -> None:
    if not context.json and not context.quiet:
        click.echo(text)
