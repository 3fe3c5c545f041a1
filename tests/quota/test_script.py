"""The script that runs in Redis has the rules of the core: whatever happens, both let the same tickets go."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_handler.quota import shared
from custom_handler.quota.core import Core
from custom_handler.quota.tickets import Group, Limits, Ticket
from tests.support.redis_server import RedisServer
from tests.support.redis_server import needed as redis_server_needed

SECOND = 1_000_000
MINUTE = 60 * SECOND
LIMITS = Limits(per_minute=5, at_once=3)
SMALL = Group("small", Limits(per_minute=3, at_once=1))
ACCOUNTS = itertools.count()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    redis_server_needed()
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        yield client
    server.stop()


class Account:
    """An account in Redis, on a clock of the test's own.

    Attributes:
        now: microseconds since 1970, a figure with as many digits as Redis's own.
    """

    def __init__(self, client: redis.Redis, lease: int = 5 * SECOND) -> None:
        self.client = client
        self.lease = lease
        self.now = 1_800_000_000 * SECOND
        self.key = f"{{account-{next(ACCOUNTS)}}}"
        self._script = client.register_script(Path(shared.__file__).with_name("shared.lua").read_text())
        self._batches = itertools.count(1)

    def exchange(self, *ops: tuple[Any, ...], worker: str = "w", batch: int = 0, **changed: Any) -> Any:
        """One exchange of a worker; `batch` is the next one if it is not given."""
        given = {
            "worker": worker,
            "batch": batch or next(self._batches),
            "now": self.now,
            "per_minute": LIMITS.per_minute,
            "at_once": LIMITS.at_once,
            "groups": {SMALL.name: [SMALL.limits.per_minute, SMALL.limits.at_once]},
            "window": MINUTE,
            "recovery": 5 * MINUTE,
            "lease": self.lease,
            "settle": 3 * SECOND,
            "ttl": 60_000,
            "ops": ops,
            **changed,
        }
        return json.loads(str(self._script(keys=[self.key], args=[json.dumps(given)])))

    def join(self, worker: str = "w", *, alone: bool = False) -> Any:
        return self.exchange(("join", alone, 1.0), worker=worker)

    def running(self, worker: str = "w", **changed: Any) -> set[str]:
        return set(self.exchange(worker=worker, **changed)["running"])


@pytest.fixture
def account(client: redis.Redis) -> Account:
    return Account(client)


def ask(key: str, client: str = "c", *more: Any) -> tuple[Any, ...]:
    return ("ask", key, client, False, "", *more)


STEP = st.one_of(
    st.tuples(st.just("ask"), st.text("abc", min_size=1, max_size=5), st.sampled_from([None, None, SMALL])),
    st.tuples(st.just("follow up"), st.sampled_from([None, SMALL])),
    st.tuples(st.just("wait"), st.sampled_from([1, SECOND, 7 * SECOND, 20 * SECOND, 61 * SECOND])),
    st.tuples(st.sampled_from(["release", "leave", "refused", "again"]), st.integers(0, 20)),
)


class Both:
    """The core and the script, which are told the same."""

    def __init__(self, client: redis.Redis) -> None:
        self.account = Account(client, lease=1000 * MINUTE)
        self.core = Core(LIMITS, MINUTE)
        self.account.join()

    def do(self, step: tuple[Any, ...]) -> None:
        self.account.now += 1
        match step:
            case ("ask", clients, group):
                for client in clients:
                    self.ask(Ticket(client, group))
            case ("follow up", group):
                self.ask(Ticket("a", group, first=True))
            case ("wait", time):
                self.account.now += time
                self.compare({})
            case (what, number):
                tickets = [*self.core.running.values(), *(self.core.waiting.values() if what == "leave" else ())]
                if tickets:
                    self.change(what, tickets[number % len(tickets)])

    def ask(self, ticket: Ticket) -> None:
        self.account.now += 1
        again = ticket.number > 0
        self.core.ask(ticket, self.account.now)
        age = (self.account.now - ticket.arrived,) if again or ticket.first else ()
        reply = self.account.exchange(("ask", ticket.key, ticket.client, ticket.first, ticket.group_name, *age))
        self.compare(reply["waits"])

    def change(self, what: str, ticket: Ticket) -> None:
        key = ticket.key
        if what == "leave":
            self.core.leave(ticket)
            self.account.exchange(("forget", key))
        elif what == "refused":
            began = self.core.refused(ticket, 15 * SECOND, self.account.now)
            assert list(self.account.exchange(("refused", key, 15 * SECOND))["episodes"]) == [key] * began
        else:
            self.core.release(ticket)
            self.account.exchange(("drop", key))
        self.compare({})
        if what in ("refused", "again"):
            self.ask(ticket)

    def compare(self, waits: dict[str, float]) -> None:
        now = self.account.now
        self.core.grants(now)
        reply = self.account.exchange()
        assert set(reply["running"]) == set(self.core.running)
        for key, wait in waits.items():
            assert self.core.wait(self.core.waiting[key], now) == wait
        allowance = self.core.allowance
        if "paused" in reply:
            assert reply["low"] == pytest.approx(allowance.low)
            assert reply["paused"] == allowance.paused_until - now


@settings(max_examples=60)
@given(steps=st.lists(STEP, max_size=40))
def test_the_script_and_the_core_decide_the_same(client: redis.Redis, steps: list[tuple[Any, ...]]) -> None:
    both = Both(client)
    for step in steps:
        both.do(step)


# Workers


def test_a_worker_that_is_not_known_is_told_to_join(account: Account) -> None:
    assert account.exchange(ask("a")) == {"known": False}
    account.join()
    assert account.exchange(ask("a"))["running"] == ["a"]


def test_a_batch_that_comes_twice_or_late_is_carried_out_once(account: Account) -> None:
    account.join()
    first = account.exchange(ask("a"), batch=10)
    assert account.exchange(ask("a"), batch=10)["running"] == first["running"] == ["a"]
    account.exchange(("drop", "a"), batch=11)
    assert not account.exchange(ask("a"), batch=10)["running"], "it was delayed on its way"


def test_the_answer_to_a_batch_that_comes_twice_tells_the_waits_again(account: Account) -> None:
    account.join()
    account.exchange(*(ask(str(number)) for number in range(LIMITS.per_minute)))
    first = account.exchange(ask("late"), batch=10)
    assert first["waits"] == account.exchange(ask("late"), batch=10)["waits"] == {"late": MINUTE}


def test_what_a_silent_worker_held_is_given_to_others(account: Account) -> None:
    account.join("dead")
    account.exchange(*(ask(f"d{number}") for number in range(LIMITS.at_once + 1)), worker="dead")
    account.now += 2 * SECOND
    account.join("alive")
    account.exchange(ask("a"), ask("b"), worker="alive")
    assert account.running("alive") == set()
    account.now += 3 * SECOND
    assert account.running("alive") == {"a", "b"}, "the ticket of the dead worker stands in nobody's way"
    assert account.exchange(worker="alive")["workers"] == 1
    assert account.exchange(worker="dead") == {"known": False}


def test_the_starts_of_a_dead_worker_still_count(account: Account) -> None:
    account.join("dead")
    account.exchange(*(ask(f"d{number}") for number in range(LIMITS.at_once)), worker="dead")
    account.now += 6 * SECOND
    account.join("alive")
    account.exchange(*(ask(str(number)) for number in range(5)), worker="alive")
    assert account.running("alive") == {"0", "1"}


def test_a_worker_that_leaves_leaves_nothing_but_its_starts(account: Account) -> None:
    account.join("a")
    account.join("b")
    account.exchange(*(ask(f"a{number}") for number in range(4)), worker="a")
    account.exchange(ask("b0"), worker="b")
    assert account.exchange(("leave",), worker="a")["workers"] == 1
    assert account.running("b") == {"b0"}
    left = {name.removeprefix(account.key + ":") for name in account.client.scan_iter(f"{account.key}*")}
    names = ("workers", "batches", "tickets", "groups", "starts:", "running:", "tickets:b", "granted:b")
    assert left == {"account", *(f"{account.now}:{name}" for name in names)}


def test_everything_is_forgotten_in_the_end(account: Account) -> None:
    account.join()
    account.exchange(ask("a"), ("ask", "b", "c", True, "small", 5), *(ask(str(number), "d") for number in range(4)))
    names = list(account.client.scan_iter(f"{account.key}*"))
    assert len(names) > 8
    assert all(0 < account.client.pttl(name) <= 60_000 for name in names)


def test_clients_take_turns_and_keep_their_order_over_all_workers(account: Account) -> None:
    one_by_one = {"at_once": 1, "per_minute": 100}
    for worker in "vw":
        account.join(worker)
    for number, (worker, client) in enumerate(zip("vwvwvwvw", "aaaabbba", strict=True)):
        account.exchange(ask(f"{client}{number}", client), worker=worker, **one_by_one)
    order: list[str] = []
    while running := account.running("v", **one_by_one) | account.running("w", **one_by_one):
        order += running
        account.exchange(*(("drop", key) for key in running), worker="v", **one_by_one)
    assert order == ["a0", "a1", "b4", "a2", "b5", "a3", "b6", "a7"]


# Redis was gone


def test_a_worker_that_comes_back_brings_all_it_holds(account: Account) -> None:
    reply = account.exchange(
        ("join", True, 1.0),
        *(("start", key, "", 10 * SECOND) for key in ("r1", "r2", "ended")),
        *(("run", key, "", 10 * SECOND) for key in ("r1", "r2")),
        *(ask(key, "c", age) for key, age in (("w2", 1 * SECOND), ("w1", 2 * SECOND), ("w3", 0))),
    )
    assert set(reply["running"]) == {"r1", "r2"}
    assert not reply["waits"]["w2"], "it goes later, and is not refused because others have yet to come back"
    account.now += 3 * SECOND
    assert account.running() == {"r1", "r2", "w1"}
    account.exchange(("drop", "r1"))
    assert account.running() == {"r2", "w1", "w2"}
    account.exchange(("drop", "r2"), ("drop", "w1"))
    assert account.running() == {"w2"}, "five have begun in this minute"


def test_while_workers_come_back_nothing_is_granted(account: Account) -> None:
    account.join("a", alone=True)
    assert not account.exchange(ask("a0"), worker="a")["running"]
    account.now += 2 * SECOND
    starts = [("start", f"b{number}", "", 5 * SECOND) for number in range(LIMITS.per_minute)]
    account.exchange(("join", True, 1.0), *starts, worker="b")
    account.now += 2 * SECOND
    assert account.running("a") == set()
    account.now += 54 * SECOND
    account.exchange(("join", False, 1.0), ask("a0", "c", 50 * SECOND), worker="a")
    assert account.running("a") == {"a0"}


def test_a_new_worker_waits_for_nobody(account: Account) -> None:
    account.join("a")
    assert account.exchange(ask("a0"), worker="a")["running"] == ["a0"]


def test_an_episode_is_remembered_by_the_workers(account: Account) -> None:
    reply = account.exchange(("join", True, 0.25, 10 * SECOND), ask("a"))
    assert (reply["low"], reply["paused"]) == (0.25, 10 * SECOND)
    account.now += 4 * SECOND
    assert account.exchange(("join", True, 0.5, -MINUTE), worker="late")["low"] == 0.25, "that one was earlier"


def test_a_start_that_is_told_twice_counts_once(account: Account) -> None:
    starts = [("start", "same", "", SECOND)] * 2
    account.exchange(("join", False, 1.0), *starts, *starts)
    account.exchange(*(ask(str(number)) for number in range(5)), at_once=10)
    assert len(account.running()) == 4
