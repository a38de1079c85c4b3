"""The demo's second part: plays become posts on a stand-in for one's own website."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchbook.clock import counted, now, to_iso

if TYPE_CHECKING:
    from watchbook.cli.demo import Demo
    from watchbook.publish.sending import Sent
    from watchbook.sandbox.site import RunningSite
    from watchbook.store.sites import Site

_RULES = {
    "delay": "0s",
    "pace": "100/1m",
    "living": "on",
    "on-removal": "delete",
    "film-text": "Watched {{ name }}{% if rating %}, {{ rating }}/10{% endif %}",
    "episode-text": "Watched {{ name }}{% if rating %}, {{ rating }}/10{% endif %}",
}


@dataclass
class PublishingDemo:
    """The steps; each holds what the site shows against what was watched."""

    demo: Demo
    site: RunningSite

    def run(self) -> None:
        """Do all steps."""
        joined = self._connect()
        made = self.demo.sandbox.add_plays(2, to_iso(now()))
        self._send(joined)
        self.demo.expect(self._shown() == {self._slug(play) for play in made}, "posts are missing")
        self.demo.line("publish", f"2 plays watched, {counted(len(made), 'post')} on the site")
        self._send(joined)
        self.demo.expect(len(self._posts()) == len(made), "a post went out twice")
        self.demo.line("publish again", "nothing to send, no post went out twice")
        self._update(joined, made[0])
        self._withdraw(joined, made[1])

    def _connect(self) -> Site:
        from watchbook.publish import joining
        from watchbook.store import sites

        installation, account = self.demo.context.installation, self.demo.context.account()
        site = joining.by_token(installation, account, self.site.me, self.site.token).site
        with self.demo.context.store.database.write() as conn:
            sites.set_rules(conn, site.id, _RULES)
        self.demo.line("connect a website", f"{self.site.me} takes posts by Micropub")
        return site

    def _send(self, site: Site) -> Sent:
        """Learn what is new at Trakt, and publish what is due."""
        from watchbook.cli.sync import run_sync
        from watchbook.publish.desk import publish
        from watchbook.sync import SyncOptions

        run_sync(self.demo.context, self.demo.context.account(), SyncOptions())
        return publish(self.demo.context.installation, self.demo.context.account(), site)

    def _update(self, site: Site, play: dict[str, Any]) -> None:
        """A rating that arrives later is added to the post."""
        self.demo.sandbox.rate(9, **self._title(play))
        self._send(site)
        post = self._post(play)
        told = str(post["properties"])
        self.demo.expect(post["revision"] == 2 and "9/10" in told, "the post was not updated")
        self.demo.line("rated afterwards", "its post says 9/10 now")

    def _withdraw(self, site: Site, play: dict[str, Any]) -> None:
        """A play that is deleted at Trakt takes its post along, as the site's rules say."""
        self.demo.sandbox.delete_plays(ids=[play["id"]])
        self._send(site)
        self.demo.expect(self._post(play)["deleted"], "the post was not withdrawn")
        self.demo.line("deleted at Trakt", "its post is withdrawn")

    def _title(self, play: dict[str, Any]) -> dict[str, Any]:
        from watchbook.store import plays

        with self.demo.context.store.database.read() as conn:
            key = plays.titles_of(conn, self.demo.context.account().id, [play["id"]])[play["id"]]
        kind, _, number = str(key).partition(":")
        return {kind: int(number)}

    def _posts(self) -> list[dict[str, Any]]:
        return self.site.posts()

    def _post(self, play: dict[str, Any]) -> dict[str, Any]:
        return next(post for post in self._posts() if post["slug"] == self._slug(play))

    def _shown(self) -> set[str]:
        return {post["slug"] for post in self._posts() if post["there"]}

    def _slug(self, play: dict[str, Any]) -> str:
        return f"trakt-{play['id']}"
