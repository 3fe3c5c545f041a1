"""The quota's rules, on a clock of the test's own."""

from __future__ import annotations

import math
from collections.abc import Iterable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from custom_handler.quota.core import Core
from custom_handler.quota.tickets import Group, Limits, Ticket

MINUTE = 60.0


def asked(core: Core, *clients: str, now: float = 0.0, group: Group | None = None, first: bool = False) -> list[Ticket]:
    """A ticket for each of `clients`, queued up in this order."""
    tickets = [Ticket(client, group, first) for client in clients]
    for ticket in tickets:
        core.ask(ticket, now)
    return tickets


def clients(tickets: Iterable[Ticket]) -> str:
    return "".join(ticket.client for ticket in tickets)


def served(core: Core, now: float) -> str:
    """The clients that are let go at `now`, when every answer comes at once."""
    order = ""
    while granted := core.grants(now):
        order += clients(granted)
        for ticket in granted:
            core.release(ticket)
    return order


# The two limits


def test_as_many_go_as_the_minute_allows_and_the_next_when_the_first_is_a_minute_old() -> None:
    core = Core(Limits(per_minute=3))
    asked(core, *"abcde")
    assert served(core, 10) == "abc"
    assert core.wake_at(10) == 70
    assert served(core, 69.9) == ""
    assert served(core, 70) == "de"


def test_the_window_slides_so_no_minute_has_more_wherever_it_begins() -> None:
    core = Core(Limits(per_minute=2))
    asked(core, *"abcd")
    core.limit(Limits(per_minute=1), 1)
    assert served(core, 0) == "a"
    core.limit(Limits(per_minute=2), 1)
    assert served(core, 50) == "b"
    assert served(core, 60) == "c"
    assert core.wake_at(60) == 110
    assert served(core, 110) == "d"


def test_as_many_run_as_may_at_once_and_the_next_when_one_has_ended() -> None:
    core = Core(Limits(at_once=2))
    first, *_ = asked(core, *"abc")
    assert clients(core.grants(0)) == "ab"
    assert core.wake_at(0) is None, "time alone changes nothing"
    core.release(first)
    assert clients(core.grants(1)) == "c"


def test_who_leaves_before_anything_was_sent_has_used_nothing() -> None:
    core = Core(Limits(per_minute=1, at_once=1))
    first, second, _ = asked(core, *"abc")
    core.grants(0)
    core.leave(second)
    core.leave(first)
    assert clients(core.grants(0)) == "c"
    core.leave(first)
    assert not core.waiting


# Whose turn it is


def test_clients_take_turns_and_their_own_requests_go_as_they_came() -> None:
    core = Core(Limits())
    tickets = asked(core, *"aaaabbc")
    order = core.grants(0)
    assert clients(order) == "abcabaa"
    for client in "abc":
        assert [t for t in order if t.client == client] == [t for t in tickets if t.client == client]


def test_a_client_that_comes_later_waits_for_one_round_at_most() -> None:
    core = Core(Limits(at_once=1))
    asked(core, *"aaaabbbb")
    (running,) = core.grants(0)
    asked(core, "c")
    order = ""
    for _ in range(3):
        core.release(running)
        (running,) = core.grants(0)
        order += running.client
    assert order == "bac"


def test_what_belongs_to_an_answer_that_has_begun_goes_first() -> None:
    core = Core(Limits(at_once=1))
    asked(core, *"aabb")
    asked(core, "z", first=True)
    assert served(core, 0) == "zabab"


def test_what_is_asked_again_goes_first_and_in_the_order_in_which_it_came() -> None:
    core = Core(Limits(at_once=3))
    asked(core, *"abcdef")
    a, b, c = core.grants(0)
    for ticket in (c, a, b):
        core.release(ticket)
        core.ask(ticket, 1)
    assert served(core, 1) == "abcdef"


# Groups


def test_a_group_needs_a_place_in_its_own_budget_and_in_that_of_the_account() -> None:
    core = Core(Limits(per_minute=3))
    asked(core, *"ab", group=Group("small", Limits(per_minute=1)))
    asked(core, *"cde")
    assert served(core, 0) == "acd"
    assert core.wake_at(0) == 60
    assert served(core, 60) == "be"


def test_a_group_without_a_place_lets_others_by_and_keeps_its_turn() -> None:
    core = Core(Limits(at_once=2))
    group = Group("small", Limits(at_once=1))
    running, *_ = asked(core, *"ab", group=group)
    asked(core, *"cc")
    assert clients(core.grants(0)) == "ac"
    core.release(running)
    assert clients(core.grants(0)) == "b"


def test_a_client_that_waits_for_a_group_goes_on_with_other_models() -> None:
    core = Core(Limits())
    asked(core, *"aa", group=Group("small", Limits(at_once=1)))
    asked(core, "a")
    assert [ticket.group is None for ticket in core.grants(0)] == [False, True]


def test_a_group_has_the_limits_that_it_had_last() -> None:
    core = Core(Limits())
    asked(core, *"ab", group=Group("small", Limits(at_once=1)))
    asked(core, *"c", group=Group("small", Limits(at_once=2)))
    assert clients(core.grants(0)) == "ab"
    assert dict(core.group_limits()) == {"small": Limits(at_once=2)}


# When the service refuses


def refuse(core: Core, ticket: Ticket, now: float, pause: float = 15) -> bool:
    begun = core.refused(ticket, pause, now)
    core.ask(ticket, now)
    return begun


def test_after_a_refusal_the_account_pauses_and_then_has_half_of_its_budget() -> None:
    core = Core(Limits(per_minute=10))
    asked(core, *"abcdefghijklm")
    first, *_ = core.grants(0)
    assert refuse(core, first, 1)
    assert core.wake_at(1) == 16
    assert not core.grants(15.9)
    assert core.budget(16) == 5
    assert not core.grants(16), "the ten of this minute are more than five"
    assert clients(core.grants(60)) == "aklm"


def test_requests_that_were_under_way_together_are_one_episode() -> None:
    core = Core(Limits(per_minute=8))
    tickets = asked(core, *"abcd")
    core.grants(0)
    assert [refuse(core, ticket, 1) for ticket in tickets] == [True, False, False, False]
    assert core.budget(16) == 4


def test_a_refusal_after_the_pause_is_a_new_episode() -> None:
    core = Core(Limits(per_minute=8))
    (ticket,) = asked(core, "a")
    for now, budget in ((0, 4), (15, 2), (75, 1), (135, 1)):
        assert core.grants(now) == [ticket]
        assert refuse(core, ticket, now)
        assert core.budget(now) == budget


def test_a_refusal_that_comes_late_is_no_new_episode() -> None:
    core = Core(Limits(per_minute=8))
    first, second = asked(core, *"ab")
    core.grants(0)
    assert refuse(core, first, 1)
    assert core.grants(16) == [first]
    assert not refuse(core, second, 17)
    assert core.grants(17) == [second]


def test_the_longest_of_the_pauses_of_an_episode_counts() -> None:
    core = Core(Limits())
    first, second, third = asked(core, *"abc")
    core.grants(0)
    refuse(core, first, 1, pause=15)
    refuse(core, second, 2, pause=40)
    refuse(core, third, 3, pause=2)
    assert core.wake_at(3) == 42


def test_the_budget_recovers_steadily_within_minutes() -> None:
    core = Core(Limits(per_minute=90))
    (ticket,) = asked(core, "a")
    core.grants(0)
    core.refused(ticket, 15, 0)
    budgets = [core.budget(15 + 30 * half_minutes) for half_minutes in range(7)]
    assert budgets == [45, 54, 63, 72, 81, 90, 90]


def test_while_the_budget_recovers_the_queue_is_looked_at_every_second() -> None:
    core = Core(Limits(per_minute=4))
    tickets = asked(core, *"abcdef")
    core.grants(0)
    core.refused(tickets[0], 1, 0)
    assert core.wake_at(30) == 31


# How long it will take


def test_the_wait_is_known_in_advance() -> None:
    core = Core(Limits(per_minute=3))
    tickets = asked(core, *"a" * 11)
    waits = [core.wait(ticket, 0) for ticket in tickets]
    assert waits == [0] * 3 + [60] * 3 + [120] * 3 + [180] * 2
    assert served(core, 0) == "aaa"
    assert [core.wait(ticket, 10) for ticket in tickets[3:]] == [wait - 10 for wait in waits[3:]]


def test_the_pause_and_half_of_the_budget_are_part_of_the_wait() -> None:
    core = Core(Limits(per_minute=4))
    tickets = asked(core, *"aaaaa")
    (running,) = core.grants(0)[:1]
    core.refused(running, 90, 0)
    (last,) = tickets[4:]
    assert core.wait(last, 0) == 90
    later = asked(core, *"aa")[-1]
    assert core.wait(later, 0) == 150


def test_many_requests_of_another_client_are_no_long_wait() -> None:
    core = Core(Limits(per_minute=2))
    asked(core, *"a" * 100)
    (other,) = asked(core, "b")
    assert core.wait(other, 0) == 0
    (urgent,) = asked(core, "c", first=True)
    assert core.wait(urgent, 0) == 0
    assert core.wait(other, 0) == 60


def test_the_budget_of_the_group_is_part_of_the_wait() -> None:
    core = Core(Limits(per_minute=10))
    tickets = asked(core, *"aaa", group=Group("small", Limits(per_minute=1)))
    assert [core.wait(ticket, 0) for ticket in tickets] == [0, 60, 120]


# A share of it


def test_a_share_is_never_nothing() -> None:
    core = Core(Limits(per_minute=90, at_once=8))
    group = Group("small", Limits(at_once=3))
    core.limit(core.limits, 4)
    asked(core, *"abc", group=group)
    assert clients(core.grants(0)) == "a"
    assert core.budget(0) == 22
    core.limit(core.limits, 1)
    assert clients(core.grants(0)) == "bc"
    core.limit(core.limits, 1000)
    assert core.budget(0) == 1


# All of it together

RPM, AT_ONCE = 4, 3
SMALL = Group("small", Limits(per_minute=2, at_once=1))


class AnyAccount(RuleBasedStateMachine):
    """Whatever clients, answers and the service do, the rules hold."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.core = Core(Limits(RPM, AT_ONCE), MINUTE)
        self.starts: list[tuple[float, Ticket]] = []
        self.turns_since: dict[Ticket, list[str]] = {}

    @initialize(client=st.sampled_from("abc"))
    def begin(self, client: str) -> None:
        self.ask(client, None, False)

    @rule(client=st.sampled_from("abc"), group=st.sampled_from([None, None, SMALL]), first=st.booleans())
    def ask(self, client: str, group: Group | None, first: bool) -> None:
        self.core.ask(Ticket(client, group, first and client == "c"), self.now)
        self.advance()

    @rule(seconds=st.sampled_from([0.1, 1.0, 7.0, 20.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.advance()

    @precondition(lambda self: self.core.running)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        self.core.release(self.one_of(data, self.core.running))
        self.advance()

    @precondition(lambda self: self.core.running)
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        ticket = self.one_of(data, self.core.running)
        before, paused = self.core.allowance.fraction(self.now), self.now < self.core.allowance.paused_until
        if self.core.refused(ticket, 15.0, self.now):
            assert self.core.allowance.fraction(self.now) == before / 2
            assert not paused
        else:
            assert self.core.allowance.fraction(self.now) <= before
        self.core.ask(ticket, self.now)
        self.advance()

    @precondition(lambda self: self.core.waiting or self.core.running)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        ticket = self.one_of(data, {**self.core.waiting, **self.core.running})
        if ticket.key in self.core.running:
            self.starts.remove((ticket.granted, ticket))
        self.core.leave(ticket)
        self.advance()

    @staticmethod
    def one_of(data: st.DataObject, tickets: dict[str, Ticket]) -> Ticket:
        return data.draw(st.sampled_from(list(tickets.values())))

    def advance(self) -> None:
        waiting = list(self.core.waiting.values())
        granted = self.core.grants(self.now)
        for place, ticket in enumerate(granted):
            self.check_order(ticket, [other for other in waiting if other not in granted[: place + 1]])
            self.starts.append((self.now, ticket))
        self.check_turns(granted)

    def check_order(self, ticket: Ticket, others: list[Ticket]) -> None:
        """Of those that compete for the same places, no older one of the same client is left behind."""
        for other in others:
            if other.group is ticket.group and other.first == ticket.first:
                assert other.number > ticket.number or (other.client != ticket.client and not ticket.first)
            if other.group is None and other.first:
                assert ticket.first

    def check_turns(self, granted: list[Ticket]) -> None:
        """While a ticket without a group waits, no other client has two turns more than its own."""
        for ticket in granted:
            if not ticket.first:
                for turns in self.turns_since.values():
                    turns.append(ticket.client)
        heads: dict[str, Ticket] = {}
        for ticket in sorted(self.core.waiting.values(), key=lambda ticket: ticket.number):
            if not ticket.first:
                heads.setdefault(ticket.client, ticket)
        self.turns_since = {
            ticket: [] if ticket.client in clients(granted) else self.turns_since.get(ticket, [])
            for ticket in heads.values()
            if ticket.group is None
        }
        for ticket, turns in self.turns_since.items():
            assert all(turns.count(client) <= 1 for client in turns), (ticket, turns)

    @invariant()
    def no_minute_has_more_than_the_limit(self) -> None:
        for limit, group in ((RPM, None), (2, SMALL)):
            times = [time for time, ticket in self.starts if group in (None, ticket.group)]
            for earlier, later in zip(times, times[limit:], strict=False):
                assert later - earlier >= MINUTE

    @invariant()
    def no_more_run_than_may(self) -> None:
        running = self.core.running.values()
        assert len(running) <= AT_ONCE
        assert sum(ticket.group is SMALL for ticket in running) <= 1

    @invariant()
    def nobody_waits_without_a_reason(self) -> None:
        core, now = self.core, self.now
        if now < core.allowance.paused_until or len(core.running) == AT_ONCE:
            return
        recent = sum(now - MINUTE < time for time, _ in self.starts)
        if recent < core.budget(now):
            assert all(ticket.group is SMALL for ticket in core.waiting.values())

    @invariant()
    def somebody_will_look_again(self) -> None:
        if self.core.waiting and not self.core.running:
            at = self.core.wake_at(self.now)
            assert at is not None
            assert self.now < at < math.inf

    def teardown(self) -> None:
        """In the end everybody has had a turn."""
        for _ in range(1000):
            for ticket in list(self.core.running.values()):
                self.core.release(ticket)
            if not self.core.waiting:
                return
            self.now = self.core.wake_at(self.now) or self.now
            self.core.grants(self.now)
        raise AssertionError(f"{len(self.core.waiting)} wait for ever")


TestAnyAccount = AnyAccount.TestCase
TestAnyAccount.settings = settings(max_examples=60, stateful_step_count=40)
