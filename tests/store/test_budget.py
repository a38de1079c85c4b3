from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa
import time_machine

from watchbook.store import accounts
from watchbook.store.budget import ReadBudget
from watchbook.store.database import Database
from watchbook.store.schema import budgets
from watchbook.values import Rate

START = datetime(2026, 11, 21, 12, 0, 7, tzinfo=UTC)
RATE = Rate(12, 60)


class World:
    """A clock that goes on only when somebody waits, and the reads that were let pass."""

    def __init__(self, database: Database, time: time_machine.Traveller) -> None:
        self.database = database
        self.time = time
        self.moment = START
        self.reads: list[datetime] = []
        self.waits: list[float] = []
        with database.write() as conn:
            self.account_id = accounts.add(conn, "sandra").id

    def budget(self, rate: Rate = RATE, account_id: int | None = None) -> ReadBudget:
        """What one process holds of the budget."""
        return ReadBudget(
            self.database,
            account_id or self.account_id,
            rate,
            sleep=self.sleep,
            on_wait=self.waits.append,
        )

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)
        self.time.move_to(self.moment, tick=False)

    def read(self, budget: ReadBudget, times: int = 1) -> None:
        """Spend some reads and write down when."""
        for _ in range(times):
            budget.spend()
            self.reads.append(self.moment)

    def check(self, rate: Rate = RATE) -> None:
        """No window of the rate's length holds more reads than the rate allows."""
        span = timedelta(seconds=rate.seconds)
        for start in self.reads:
            assert sum(start <= read < start + span for read in self.reads) <= rate.count

    def counted(self) -> int:
        """How many reads the store counts."""
        with self.database.read() as conn:
            used = conn.scalar(sa.select(budgets.c.used)) or "{}"
        return sum(msgspec.json.decode(used, type=dict[str, int]).values())


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """Noon of a day, with one account."""
    with time_machine.travel(START, tick=False) as time:
        yield World(database, time)


def test_as_many_as_allowed_pass_at_once(world: World) -> None:
    """The whole rate may be spent in a moment; the next read waits."""
    budget = world.budget()
    world.read(budget, 12)
    assert world.waits == []
    world.read(budget)
    assert world.waits
    assert world.moment - START >= timedelta(seconds=RATE.seconds)


@pytest.mark.parametrize("rate", [Rate(1, 1), Rate(12, 60), Rate(7, 25), Rate(450, 300)])
def test_never_more_than_allowed(world: World, rate: Rate) -> None:
    """However the reads lie in time, no window of the rate's length holds too many."""
    budget = world.budget(rate)
    for pause in (0, 0, 3, 0, 9.5, 0, 20, 0.1, 61, 0, 7):
        world.read(budget, max(1, rate.count // 3))
        world.sleep(pause)
    world.check(rate)


def test_reads_taken_but_spent_later(world: World) -> None:
    """What was taken from the store in one block does not come on top of a later window."""
    budget = world.budget()
    world.read(budget, 4)  # the third block has four reads, of which three are left
    world.sleep(70)
    world.read(budget, 12)
    world.read(budget, 3)
    world.check()
    assert world.counted() <= RATE.count


def test_waiting_is_worth_it(world: World) -> None:
    """A wait ends when reads are free again: one wait, no longer than the window and a slot."""
    budget = world.budget()
    world.read(budget, 13)
    assert sum(world.waits) <= RATE.seconds + 10
    assert len(world.waits) <= 2


def test_two_processes_share(world: World) -> None:
    """Two holders of one account's budget together never spend more than one may."""
    one, two = world.budget(), world.budget()
    for pause in (0, 4, 11, 0, 30, 0, 65, 2) * 2:
        world.read(one, 3)
        world.read(two, 4)
        world.sleep(pause)
    world.check()


def test_accounts_do_not_share(world: World) -> None:
    """Another account's reads do not count."""
    with world.database.write() as conn:
        other = accounts.add(conn, "tom").id
    world.read(world.budget(), 12)
    world.read(world.budget(account_id=other), 12)
    assert world.waits == []


def test_given_back_is_free_again(world: World) -> None:
    """What a process took and did not spend, another may spend in the same window."""
    one, two = world.budget(), world.budget()
    world.read(one, 4)
    one.give_back()
    one.give_back()
    assert world.counted() == 4
    world.read(two, 8)
    assert world.waits == []
    two.give_back()
    assert world.counted() == 12


def test_giving_back_leaves_others_alone(world: World) -> None:
    """Giving back touches the slot that was taken from, and not what others spent since."""
    one, two = world.budget(), world.budget()
    world.read(one, 4)
    world.sleep(15)
    world.read(two, 3)
    two.give_back()
    one.give_back()
    assert world.counted() == 7
    world.sleep(55)
    world.read(two, 12)
    world.check()


def test_nobody_reads_while_blocked(world: World) -> None:
    """After Trakt said so, every process waits that long, also with reads left; then it goes on."""
    one, two = world.budget(), world.budget()
    world.read(one, 2)
    one.block_for(100)
    one.block_for(30)  # a shorter block does not end a longer one
    world.read(two)
    assert world.waits == [100]
    assert world.moment == START + timedelta(seconds=100)
    world.read(one)
    assert world.waits == [100]


def test_lower_rate_counts_at_once(world: World) -> None:
    """When the rate is set lower, what was spent before counts against it."""
    world.read(world.budget(), 10)
    world.read(world.budget(Rate(5, 60)))
    assert sum(world.waits) >= 50


def test_threads_share(database: Database) -> None:
    """Lanes of one process take no more than there is."""
    with database.write() as conn:
        account = accounts.add(conn, "sandra").id
    enough = threading.Event()

    def stop(_: float) -> None:
        enough.set()
        raise TimeoutError

    budget = ReadBudget(database, account, Rate(40, 3600), sleep=stop)

    def lane(_: int) -> int:
        passed = 0
        while not enough.is_set():
            try:
                budget.spend()
            except TimeoutError:
                break
            passed += 1
        return passed

    with ThreadPoolExecutor(4) as executor:
        assert sum(executor.map(lane, range(4))) == 40


SPEND_ALL = """
import sys
from watchbook.values import Rate
from watchbook.store.budget import ReadBudget
from watchbook.store.database import Database

def stop(_):
    raise TimeoutError

budget = ReadBudget(Database(sys.argv[1]), int(sys.argv[2]), Rate(40, 3600), sleep=stop)
passed = 0
print("ready", flush=True)
sys.stdin.readline()
try:
    while True:
        budget.spend()
        passed += 1
except TimeoutError:
    print(passed)
"""


def test_processes_share(database: Database, database_url: str) -> None:
    """Processes that begin at the same moment, with no row there yet, share what there is."""
    with database.write() as conn:
        account = accounts.add(conn, "sandra").id
    children = [
        subprocess.Popen(
            [sys.executable, "-c", SPEND_ALL, database_url, str(account)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    assert sum(int(child.communicate()[0]) for child in start_all(children)) == 40


def start_all(children: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """Let all children begin at once."""
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    return children
