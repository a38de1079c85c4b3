"""A folder of Markdown files as an outlet, for sites that a generator makes of files.

A file is written whole or not at all, and the same post gives the same bytes. Ours carry a mark
in their front matter; a file without it is never touched. After a pass that changed something the
owner's command brings the files to the web. That it is owed is written down before the first
change, so neither a kill nor a failure loses it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchbook.errors import InputError, RemoteUnavailable, StoreError
from watchbook.files import durable_file, file_errors, sync_folder
from watchbook.micropub.citing import Properties
from watchbook.micropub.lookup import ABSENT, CANNOT_TELL, Lookup, Sight
from watchbook.micropub.outcome import Kind, Outcome
from watchbook.micropub.parts import File
from watchbook.micropub.post import Post
from watchbook.offsite.command import run_in
from watchbook.publish.filing import local, slug_for, written
from watchbook.publish.frontmatter import mark_of
from watchbook.publish.generators import GENERATORS, recognised
from watchbook.publish.rules import Rules, read_rules
from watchbook.store import accounts, outbox, sites
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.sites import Kind as SiteKind
from watchbook.store.sites import Site

COMMAND_LIMIT = 600.0
"""Seconds after which the command is ended."""

_SET_GENERATOR = f"NAME generator={'|'.join(GENERATORS)}"
_NO_GENERATOR = f"Nobody has said what makes the site: `watchbook site set` {_SET_GENERATOR}."
_OWED = "command"
_THIS_POST = Kind.TYPE_REFUSED
"""Refused because of what this one post is: that says nothing about the others."""
_MODE, _FOLDER_MODE = 0o644, 0o755
_HEAD = 1 << 18
_OWNER_ONLY = "Only the owner of this Watchbook has files written on its machine."


@dataclass
class Folder:
    """A site that is a folder. Made for one pass, under the site's lease.

    The address of a post is its file's path below the folder.
    """

    store: Store
    site: Site

    def __post_init__(self) -> None:
        """Read the rules; raises InputError when the site's account is not the owner's."""
        with self.store.database.read() as conn:
            check_owner(accounts.get(conn, self.site.account_id))
        self._rules = read_rules(self.site.rules)
        self._top = Path(self.site.endpoint)
        self._owed = self.site.config == _OWED

    def create(self, post: Post) -> Outcome:
        """Write a file; one of ours that is there already is written anew."""
        return self._guarded(lambda: self._put(post, Kind.PUBLISHED))

    def update(self, url: str, _replace: Properties, post: Post) -> Outcome:
        """Write a file anew, under another name where its date was mended."""
        return self._guarded(lambda: self._move(url, post))

    def delete(self, url: str) -> Outcome:
        """Take a file away; one that was gone before counts as taken away."""
        return self._guarded(lambda: self._remove(url))

    def upload(self, file: File) -> Outcome:
        """Write a picture, under a name made of its content, where the generator shows it from."""
        return self._guarded(lambda: self._keep(file))

    def look(self, post: Post, _expected: str | None = None) -> Lookup:
        """Find the file of a post, wherever a generator has its posts, whatever its date."""
        slug = slug_for(post)
        try:
            if self._missing():
                return CANNOT_TELL
            with file_errors(self._top):
                found = next((one for one in self._files(slug) if _mark(one) == slug), None)
        except StoreError:
            return CANNOT_TELL
        return ABSENT if found is None else Lookup(Sight.FOUND, self._address(found))

    def appeared(self, post: Post, _url: str) -> Lookup:
        """Find the file of a post; none was ever promised."""
        return self.look(post)

    def check(self) -> Outcome:
        """Whether the folder is there."""
        return self._guarded(lambda: Outcome(Kind.DONE))

    def finish(self) -> Outcome | None:
        """Run the owner's command, if files have changed since it last went well."""
        command = self._rules.command
        if self._owed and not command:
            self._note(None)
        if not (self._owed and command):
            return None
        about = {"WATCHBOOK_SITE": self.site.name}
        hint = "Try the command in a shell, in the site's folder."
        try:
            run_in(self._top, command, about, hint=hint, limit=COMMAND_LIMIT)
        except RemoteUnavailable as reason:
            return Outcome(Kind.DOWN, words=reason.message)
        self._note(None)
        return Outcome(Kind.DONE)

    # --- Files -------------------------------------------------------------------------------

    def _guarded(self, act: Callable[[], Outcome]) -> Outcome:
        """Do something to the folder, and say what hinders it."""
        try:
            missing = self._missing()
            return Outcome(Kind.DOWN, words=missing) if missing else act()
        except StoreError as reason:
            return Outcome(Kind.DOWN, words=reason.message)

    def _missing(self) -> str | None:
        """Say so when the folder is not there, or is empty though posts were written to it.

        What is written below the mount point of a disk that is not mounted is hidden later.
        """
        if not self._top.is_dir():
            return f"There is no folder {self._top}."
        with file_errors(self._top):
            empty = next(self._top.iterdir(), None) is None
        if not empty:
            return None
        with self.store.database.read() as conn:
            written = outbox.newest_published(conn, self.site.id) is not None
        again = "If it is meant to be, put any file there."
        return f"{self._top} is empty: is its disk mounted? {again}" if written else None

    def _put(self, post: Post, kind: Kind) -> Outcome:
        words = self._unfit(post)
        if words is not None:
            return Outcome(Kind.REFUSED, words=words)
        generator, slug = GENERATORS[self._rules.generator], slug_for(post)
        try:
            path = self._top / generator.place(slug, local(post))
        except ValueError as reason:
            return Outcome(_THIS_POST, words=f"{reason}.".capitalize())
        with file_errors(path):
            there = path.exists()
            if there and _mark(path) != slug:
                return _foreign(path)
            self._owe()
            content = written(post, generator, self._rules.front_matter)
            self._write(path, content.encode("utf-8", "replace"), replace=there)
            return Outcome(kind, self._address(path)) if _mark(path) == slug else _foreign(path)

    def _keep(self, file: File) -> Outcome:
        generator = GENERATORS.get(self._rules.generator)
        if generator is None:
            return Outcome(Kind.DOWN, words=_NO_GENERATOR)
        path = self._top / generator.pictures / file.name
        with file_errors(path):
            if not path.exists():
                self._owe()
                self._write(path, file.content, replace=False)
            same = path.read_bytes() == file.content
        return Outcome(Kind.PUBLISHED, self._address(path)) if same else _foreign(path)

    def _write(self, path: Path, content: bytes, *, replace: bool) -> None:
        missing = [folder for folder in path.parents if not folder.is_dir()]
        for folder in reversed(missing):
            folder.mkdir()
            folder.chmod(_FOLDER_MODE)
        for left in path.parent.glob(f".{path.name}.*.part"):
            left.unlink()  # of a process that died; nobody else writes here
        with durable_file(path, replace=replace, mode=_MODE) as file:
            file.write(content)

    def _move(self, url: str, post: Post) -> Outcome:
        old = self._inside(url)
        if old is None or _mark(old) != slug_for(post):
            return Outcome(_THIS_POST, words=f"{url} is no file of Watchbook's any more.")
        outcome = self._put(post, Kind.DONE)
        if outcome.good and outcome.url != self._address(old):
            _unlink(old)
        return outcome

    def _remove(self, url: str) -> Outcome:
        path = self._inside(url)
        if path is None or (path.exists() and _mark(path) is None):
            return Outcome(_THIS_POST, words=f"{url} is no file of Watchbook's.")
        if path.exists():
            self._owe()
            _unlink(path)
        return Outcome(Kind.DONE, url)

    def _inside(self, url: str) -> Path | None:
        """The file that a post's address means; None for one that leads out of the folder."""
        path = self._top / url
        inside = path.resolve().is_relative_to(self._top.resolve())
        return path if inside and path.suffix == ".md" else None

    def _files(self, slug: str) -> list[Path]:
        places = {generator.folder for generator in GENERATORS.values()}
        found = (path for place in places for path in (self._top / place).rglob(f"*{slug}.md"))
        return sorted(found)

    def _address(self, path: Path) -> str:
        return path.relative_to(self._top).as_posix()

    def _unfit(self, post: Post) -> str | None:
        """Why no post can be written by the site's rules, in words."""
        generator = GENERATORS.get(self._rules.generator)
        if generator is None:
            return _NO_GENERATOR
        if self._rules.front_matter not in generator.languages:
            return f"Such sites read no {self._rules.front_matter}; set front-matter=yaml."
        if post.look.visibility in {"unlisted", "private"}:
            return "Whatever is in a folder is published; set status=draft instead of visibility."
        return None

    # --- The command ---------------------------------------------------------------------------

    def _owe(self) -> None:
        """Write down that the command has to run, before anything changes."""
        if not self._owed and self._rules.command:
            self._note(_OWED)

    def _note(self, owed: str | None) -> None:
        with self.store.database.write(durable=True) as conn:
            sites.change(conn, self.site.id, config=owed)
        self._owed = owed is not None


def join(
    store: Store, account: Account, address: str, name: str | None = None
) -> tuple[Site, bool]:
    """Connect the folder at ``address`` from now on; also whether it was here before.

    Raises InputError when it does not exist, for a name that is taken, and for whoever is not
    the owner.
    """
    check_owner(account)
    folder = Path(address).expanduser().resolve()
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {folder}.", hint="Name the folder that your site is made from."
        )
    with store.database.write(durable=True) as conn:
        known = [one for one in sites.all_sites(conn, account.id) if one.kind == SiteKind.FOLDER]
        present = next((one for one in known if one.endpoint == str(folder)), None)
        if present is not None:
            return present, True
        made = sites.add(
            conn, account, name or folder.name or "folder", SiteKind.FOLDER, str(folder)
        )
        sites.set_rules(conn, made.id, {"generator": recognised(folder) or "hugo"})
        return sites.get(conn, made.id), False


def in_file(post: Post, rules: Rules) -> str | None:
    """What the file of a post would hold; None while no generator is chosen."""
    generator = GENERATORS.get(rules.generator)
    return written(post, generator, rules.front_matter) if generator else None


def check_owner(account: Account) -> None:
    """Raise InputError for an account that is not the owner's."""
    if not account.owner:
        raise InputError(
            f"{account.name} cannot publish to a folder.",
            hint=f"{_OWNER_ONLY} Connect a website instead: `watchbook site add ADDRESS`.",
        )


def _mark(path: Path) -> str | None:
    """The mark of a file; None for one of somebody else's, or none at all."""
    if not path.is_file():
        return None
    with file_errors(path), path.open("rb") as file:
        return mark_of(file.read(_HEAD).decode("utf-8", "replace"))


def _unlink(path: Path) -> None:
    with file_errors(path):
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def _foreign(path: Path) -> Outcome:
    return Outcome(_THIS_POST, words=f"{path.name} is there already, and not Watchbook's.")
