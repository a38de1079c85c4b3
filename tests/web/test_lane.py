"""What stands ready takes no room besides that of the shelf."""

from __future__ import annotations

import asyncio
import gc
import weakref
from datetime import timedelta

from tests.web.showroom import Owner
from watchbook.clock import now
from watchbook.sharing import Part
from watchbook.store.opening import Store
from watchbook.web.front import Front
from watchbook.web.lane import Lane
from watchbook.web.last import LAST
from watchbook.web.security import Security

SCOPE = {"path": LAST.path, "query_string": b"", "path_params": {}}


def test_answers_are_kept_by_the_shelf_alone(store: Store) -> None:
    """Once a newer one stands there, the one before is gone, however it was given."""
    owner = Owner(store)
    owner.share(Part.LAST)
    front = Front(store, "https://watch.example")
    lane = Lane(front, Security.of(front.base_url))

    async def given() -> weakref.ref[object]:
        """The answer that a fresh question gets the fast way."""
        front.watcher.look()
        lane.note(SCOPE, LAST)
        while (found := lane.at_hand(SCOPE)) is None:
            await front.answer(LAST, {}, {})
            front.watcher.look()
            await asyncio.sleep(0.01)
        return weakref.ref(found[1])

    async def both() -> tuple[weakref.ref[object], weakref.ref[object]]:
        first = await given()
        owner.watch(1, now() - timedelta(hours=1))
        owner.share(Part.LAST)
        return first, await given()

    before, after = asyncio.run(both())
    gc.collect()
    assert before() is None
    assert after() is not None
