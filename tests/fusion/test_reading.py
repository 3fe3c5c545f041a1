"""Chats, messages, agents and documents, as they are listed, found and ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emulator import Emulator, Reply
from emulator.fusion.switches import LISTS, TIMES
from fusion_client import AgentNotFoundError, ChatNotFoundError, NotFoundError, UnsupportedError, ValidationError
from tests.fusion.callers import AGENT, UNKNOWN, Caller
from tests.fusion.conftest import StartCaller, StartEmulator

OTHER_AGENT = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize("lists", LISTS)
def test_lists_are_read_bare_and_in_an_object(start: StartEmulator, call: StartCaller, lists: str) -> None:
    fusion = call(start(fusion_lists=lists))
    chat_id = fusion.ask("create_chat", AGENT, "hello").chat_id
    document = fusion.ask("add_document", "name", "words to find")
    assert [one.message_type for one in fusion.ask("list_messages", chat_id)] == ["user", "agent"]
    assert [one.id for one in fusion.ask("list_chats")] == [chat_id]
    assert [one.id for one in fusion.ask("list_agents")] == [AGENT]
    assert fusion.ask("list_documents") == [document]
    assert [one.id for one in fusion.ask("search_documents", "words")] == [document.id]


@pytest.mark.parametrize("times", TIMES)
def test_times_are_read_with_and_without_an_offset(start: StartEmulator, call: StartCaller, times: str) -> None:
    fusion = call(start(fusion_times=times))
    chat = fusion.ask("get_chat", fusion.ask("create_chat", AGENT, "hello").chat_id)
    assert abs(datetime.now(UTC) - chat.created_at) < timedelta(minutes=1)
    assert chat.message == "hello"
    assert chat.user.email.endswith("@example.com")


@pytest.mark.parametrize("method", ["get_chat", "list_messages", "delete_chat"])
def test_a_chat_that_is_not_there_is_named_so(fusion: Caller, method: str) -> None:
    with pytest.raises(ChatNotFoundError, match="404, chat_not_found"):
        fusion.ask(method, UNKNOWN)


def test_a_message_to_what_is_not_there_tells_what_is_missing(start: StartEmulator, call: StartCaller) -> None:
    fusion = call(start(fusion_agents=(AGENT,)))
    with pytest.raises(AgentNotFoundError):
        fusion.ask("send_message", UNKNOWN, "hello")
    with pytest.raises(ChatNotFoundError):
        fusion.ask("send_message", AGENT, "hello", chat_id=UNKNOWN)
    with pytest.raises(NotFoundError, match="file_not_found") as caught:
        fusion.ask("send_message", AGENT, "hello", files=[UNKNOWN])
    assert type(caught.value) is NotFoundError


def test_a_chat_is_deleted_where_the_service_does_that(start: StartEmulator, call: StartCaller) -> None:
    for keeps in (False, True):
        fusion = call(start(fusion_keeps_chats=keeps))
        chat_id = fusion.ask("create_chat", AGENT, "hello").chat_id
        if keeps:
            with pytest.raises(UnsupportedError, match="does not have this call"):
                fusion.ask("delete_chat", chat_id)
        else:
            fusion.ask("delete_chat", chat_id)
        assert len(fusion.ask("list_chats")) == int(keeps)


@pytest.mark.parametrize("ignores", [False, True], ids=["filters", "ignores filters"])
def test_chats_are_filtered_whether_or_not_the_service_does(
    start: StartEmulator, call: StartCaller, ignores: bool
) -> None:
    emulator = start(fusion_ignores_filters=ignores)
    fusion = call(emulator)
    before = datetime.now(UTC)
    red = fusion.ask("create_chat", AGENT, "Red apples", folder="fruit").chat_id
    emulator.advance(3600)
    green = fusion.ask("create_chat", OTHER_AGENT, "green pears", folder="fruit").chat_id
    plain = fusion.ask("create_chat", AGENT, "nothing").chat_id
    fusion.ask("send_message", AGENT, "what about apples?", chat_id=plain)

    def found(**wanted: object) -> set[str]:
        return {chat.id for chat in fusion.ask("list_chats", **wanted)}

    later = before + timedelta(minutes=30)
    assert found() == {red, green, plain}
    assert found(agent_id=OTHER_AGENT) == {green}
    assert found(folder="fruit") == {red, green}
    assert found(query="APPLES") == {red, plain}
    assert found(created_after=later) == {green, plain}
    assert found(created_before=later.replace(tzinfo=None)) == {red}
    assert found(created_after=later, created_before=later) == set()
    assert found(folder="fruit", agent_id=AGENT, query="red") == {red}


@pytest.mark.parametrize("ignores", [False, True], ids=["pages", "ignores pages"])
def test_chats_come_in_pages_whether_or_not_the_service_has_them(
    start: StartEmulator, call: StartCaller, ignores: bool
) -> None:
    fusion = call(start(fusion_ignores_filters=ignores))
    begun = [fusion.ask("create_chat", AGENT, f"chat {number}").chat_id for number in range(5)]
    pages = [[chat.id for chat in fusion.ask("list_chats", page=page, size=2)] for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert sorted(chat for page in pages for chat in page) == sorted(begun)


@pytest.mark.parametrize("part", [{"page": 0}, {"size": 0}])
def test_a_page_is_counted_from_one(fusion: Caller, part: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="must be a whole number that is at least 1, not 0"):
        fusion.ask("list_chats", **part)


def test_a_chat_that_is_deleted_while_it_is_searched_does_not_fit(start: StartEmulator, call: StartCaller) -> None:
    emulator = start(fusion_ignores_filters=True)
    fusion = call(emulator)
    fusion.ask("create_chat", AGENT, "apples")
    emulator.script(Reply(hits="other"), Reply(fault="not_found", hits="other"))
    assert fusion.ask("list_chats", query="pears") == []


@pytest.mark.parametrize("name", ["query", "folder"])
def test_what_cannot_be_sent_is_not_searched_for(fusion: Caller, name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name} has half a surrogate pair"):
        fusion.ask("list_chats", **{name: "\udc00"})


def test_an_agent_is_found_by_id_and_by_name(start: StartEmulator, call: StartCaller) -> None:
    alike = AGENT[:-1] + "1"  # the emulator names an agent after the beginning of its id
    fusion = call(start(fusion_agents=(AGENT, alike, OTHER_AGENT)))
    assert fusion.ask("get_agent", OTHER_AGENT) == fusion.ask("find_agent", "AGENT 11111111")
    with pytest.raises(AgentNotFoundError, match="no agent named 'nobody'"):
        fusion.ask("find_agent", "nobody")
    with pytest.raises(ValidationError, match=f"fits 2 agents: {AGENT}, {alike}"):
        fusion.ask("find_agent", "Agent 00000000")
    with pytest.raises(AgentNotFoundError):
        fusion.ask("get_agent", UNKNOWN)


def test_documents_are_added_found_and_removed(fusion: Caller) -> None:
    uploaded = fusion.ask("upload_file", b"The moon is far away.", filename="moon.txt")
    text = fusion.ask("add_document", "sun", "The sun is hot.")
    file = fusion.ask("add_document", "moon", file_id=uploaded.file_id)
    best = fusion.ask("search_documents", "how far is the moon")[0]
    assert (best.id, best.file_id) == (file.id, uploaded.file_id)
    assert best.score > 0
    fusion.ask("remove_document", text.id)
    assert fusion.ask("list_documents") == [file]
    with pytest.raises(NotFoundError, match="document_not_found"):
        fusion.ask("remove_document", text.id)


@pytest.mark.parametrize("source", [{}, {"content": "x", "file_id": UNKNOWN}])
def test_a_document_is_made_of_one_thing(fusion: Caller, emulator: Emulator, source: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="Give content or file_id"):
        fusion.ask("add_document", "name", **source)
    assert not emulator.requests
