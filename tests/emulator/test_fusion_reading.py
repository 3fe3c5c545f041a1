"""What can be read of Fusion: chats by every filter, agents, in lists and times of every form."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.fusion.switches import TIMES
from tests.emulator.conftest import StartFusion
from tests.emulator.fusion_caller import AGENT, OTHER_AGENT, UNKNOWN, Fusion


@pytest.fixture
def filed(fusion: Fusion) -> Fusion:
    """A client with three chats, an hour apart."""
    fusion.begun("about Recife", folder="travel")
    fusion.emulator.advance(3600)
    fusion.begun("about Natal", folder="travel", agent_id=OTHER_AGENT)
    fusion.emulator.advance(3600)
    fusion.begun("about taxes")
    return fusion


def named(chats: dict[str, Any]) -> list[str]:
    """What chats are about."""
    return [chat["message"].removeprefix("about ") for chat in chats["chats"]]


def later(hours: float, zone: str = "Z") -> str:
    """So many hours behind the first chat, give or take the minutes from here to the test."""
    time = datetime.now(UTC) + timedelta(hours=hours)
    return time.replace(tzinfo=None).isoformat() + zone


FILTERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "none": ({}, ["taxes", "Natal", "Recife"]),
    "agent": ({"agent_id": OTHER_AGENT}, ["Natal"]),
    "folder": ({"folder": "travel"}, ["Natal", "Recife"]),
    "no such folder": ({"folder": "none"}, []),
    "text, in either case": ({"query": "RECIFE"}, ["Recife"]),
    "text of an answer": ({"query": "You said"}, ["taxes", "Natal", "Recife"]),
    "after": ({"created_after": later(0.5)}, ["taxes", "Natal"]),
    "before, in another zone": ({"created_before": later(0.5, "+00:00")}, ["Recife"]),
    "between, in no zone": ({"created_after": later(0.5, ""), "created_before": later(1.5, "")}, ["Natal"]),
    "first page": ({"size": 2}, ["taxes", "Natal"]),
    "second page": ({"page": 2, "size": 2}, ["Recife"]),
    "behind the last page": ({"page": 9}, []),
    "two at once": ({"folder": "travel", "agent_id": AGENT}, ["Recife"]),
}


@pytest.mark.parametrize("case", FILTERS)
def test_chats_are_listed_newest_first_and_filtered(filed: Fusion, case: str) -> None:
    query, expected = FILTERS[case]
    assert named(filed.get("/chat", **query)) == expected


def test_a_plus_in_a_time_may_come_unescaped(filed: Fusion) -> None:
    assert len(filed.get("/chat?created_after=2020-01-01T00:00:00+00:00")["chats"]) == 3


def test_a_time_that_is_none_is_refused(filed: Fusion) -> None:
    refused = filed.ask("GET", "/chat", params={"created_after": "yesterday"})
    assert (refused.status_code, "created_after" in refused.json()["error"]["message"]) == (400, True)


def test_a_service_may_ignore_filters(start_fusion: StartFusion) -> None:
    fusion = start_fusion(fusion_ignores_filters=True)
    for message in ("about a", "about b"):
        fusion.begun(message)
    assert named(fusion.get("/chat", query="a", folder="x", page=7, size=1)) == ["b", "a"]


def test_everybody_sees_only_chats_of_his_own(filed: Fusion) -> None:
    assert filed.by("key-b").get("/chat") == {"chats": []}


def test_a_chat_can_be_deleted(filed: Fusion) -> None:
    chat_id = filed.get("/chat")["chats"][0]["id"]
    deleted = filed.ask("DELETE", f"/chat/{chat_id}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert named(filed.get("/chat")) == ["Natal", "Recife"]
    assert filed.ask("DELETE", f"/chat/{chat_id}").status_code == 404


def test_a_service_may_have_no_deletion(start_fusion: StartFusion) -> None:
    fusion = start_fusion(fusion_keeps_chats=True)
    chat_id = fusion.begun()
    refused = fusion.ask("DELETE", f"/chat/{chat_id}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (405, "method_not_allowed")
    assert len(fusion.get("/chat")["chats"]) == 1


def test_agents_are_listed_and_read(start_fusion: StartFusion) -> None:
    fusion = start_fusion(fusion_agents=(AGENT, OTHER_AGENT))
    agents = fusion.get("/agents")["agents"]
    assert [agent["id"] for agent in agents] == [AGENT, OTHER_AGENT]
    assert len({agent["name"] for agent in agents}) == 2
    assert fusion.get(f"/agents/{OTHER_AGENT}") == agents[1]
    assert fusion.ask("GET", f"/agents/{UNKNOWN}").json()["error"]["code"] == "agent_not_found"


def test_there_is_an_agent_to_list_when_all_are_allowed(fusion: Fusion) -> None:
    (agent,) = fusion.get("/agents")["agents"]
    assert fusion.chat(agent_id=agent["id"]).status_code == 200


LISTS = ("/agents", "/chat", "/chat/{chat_id}/messages", "/knowledge", "/knowledge/search?query=cats")


@pytest.mark.parametrize("path", LISTS)
def test_a_list_may_come_bare(start_fusion: StartFusion, path: str) -> None:
    fusion = start_fusion(fusion_lists="bare")
    chat_id = fusion.begun()
    fusion.ask("POST", "/knowledge", json={"name": "cats", "content": "a"})
    bare = fusion.get(path.format(chat_id=chat_id))
    assert isinstance(bare, list)
    assert bare


ENDS = {"z": r"\d\dZ", "offset": r"\d\d-03:00", "naive": r"T[\d:.]+"}


@pytest.mark.parametrize("style", TIMES)
def test_times_come_in_every_form_and_mean_the_same(start_fusion: StartFusion, style: str) -> None:
    fusion = start_fusion(fusion_times=style)
    before = datetime.now(UTC)
    chat = fusion.get(f"/chat/{fusion.begun()}")["chat"]
    created = datetime.fromisoformat(chat["created_at"])
    assert re.search(ENDS[style] + "$", chat["created_at"])
    assert before <= (created if created.tzinfo else created.replace(tzinfo=UTC)) <= datetime.now(UTC)
