"""Fusion's chats without faults: whole answers, streams, memory, limits, and every switch of what nobody knows."""

import json
from typing import Any

import pytest

from emulator import Emulator, Reply
from emulator.conversations import Memory
from emulator.fusion.chats import KEPT, Chats
from emulator.fusion.switches import CHAT_TOLD
from emulator.fusion.times import Calendar
from emulator.identity import Account
from tests.emulator.conftest import StartFusion
from tests.emulator.emulator_client import body_of
from tests.emulator.fusion_caller import AGENT, OTHER_AGENT, UNKNOWN, Fusion, tokens_of

CHAT_KEYS = {"id", "agent", "user", "folder", "message", "knowledge", "created_at", "updated_at", "system_chat"}
AGENT_KEYS = {"id", "name", "description", "image", "status", "system_agent", "transcription"}
MESSAGE_KEYS = {"id", "chat_id", "message", "message_type", "created_at", "files"}


def test_an_answer_has_the_shapes_of_the_contract(fusion: Fusion) -> None:
    answer = fusion.chat("Say pong", folder="tests", files=[]).json()
    chat, messages = answer["chat"], answer["messages"]
    assert answer.keys() == {"chat", "messages"}
    assert (chat.keys(), chat["agent"].keys(), chat["user"].keys()) == (CHAT_KEYS, AGENT_KEYS, {"email", "full_name"})
    assert (chat["agent"]["id"], chat["folder"], chat["message"]) == (AGENT, "tests", "Say pong")
    assert all(message.keys() == MESSAGE_KEYS for message in messages)
    assert [(one["message"], one["message_type"]) for one in messages] == [("Say pong", "user"), ("pong", "agent")]
    assert {message["chat_id"] for message in messages} == {chat["id"]}


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 11, 23])
def test_a_stream_is_tokens_and_done_however_the_text_is_cut(fusion: Fusion, emulator: Emulator, chunk: int) -> None:
    text = "Olá, 🙂 mundo!\n\tdata: [DONE]\r\n\r\n\u2028fim"
    emulator.script(Reply(text, chunk=chunk))
    first, *tokens, done = fusion.stream()
    assert json.loads(first).keys() == {"chat_id"}
    assert tokens_of(tokens) == text
    assert max(len(json.loads(token)["token"]) for token in tokens) == min(chunk, len(text))
    assert done == "[DONE]"


def test_a_stream_is_sse_that_closes_the_connection(fusion: Fusion) -> None:
    headers = fusion.chat(stream=True).headers
    assert (headers["content-type"], headers["connection"]) == ("text/event-stream", "close")


@pytest.mark.parametrize(("line_end", "other"), [("crlf", b"}\n"), ("lf", b"\r")])
def test_line_ends_are_an_option(start_fusion: StartFusion, line_end: str, other: bytes) -> None:
    assert other not in body_of(start_fusion(line_end=line_end).raw_chat())


def test_the_message_of_a_stream_is_in_the_chat_afterwards(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply("streamed"))
    chat_id = json.loads(fusion.stream("hello")[0])["chat_id"]
    assert [one["message"] for one in fusion.get(f"/chat/{chat_id}")["messages"]] == ["hello", "streamed"]


@pytest.mark.parametrize("chat_told", CHAT_TOLD)
def test_the_chat_of_a_stream_is_told_where_the_options_say(start_fusion: StartFusion, chat_told: str) -> None:
    fusion = start_fusion(fusion_chat_told=chat_told)
    response = fusion.chat("Say pong", stream=True)
    (chat,) = fusion.get("/chat")["chats"]
    told = {
        "first": f'data: {{"chat_id":"{chat["id"]}"}}\r\n' in response.text.partition('{"token"')[0],
        "last": f'{{"chat":{{"id":"{chat["id"]}"' in response.text.rpartition('{"token"')[2],
        "header": response.headers.get("x-chat-id") == chat["id"],
        "never": chat["id"] not in response.text + str(response.headers),
    }
    assert [name for name, is_so in told.items() if is_so] == [chat_told]


def test_the_last_event_carries_the_chat_and_the_whole_message(start_fusion: StartFusion) -> None:
    *_, last, done = start_fusion(fusion_chat_told="last").stream("Say pong")
    told = json.loads(last)
    assert (told["chat"].keys(), told["message"].keys(), done) == (CHAT_KEYS, MESSAGE_KEYS, "[DONE]")
    assert (told["message"]["message"], told["message"]["message_type"]) == ("pong", "agent")


def test_json_may_come_where_a_stream_was_asked_for(start_fusion: StartFusion) -> None:
    assert start_fusion(fusion_streaming="json").answer("Say pong", stream=True) == "pong"


def test_the_field_stream_may_be_unknown(start_fusion: StartFusion) -> None:
    fusion = start_fusion(fusion_streaming="refused")
    refused = fusion.chat(stream=True)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "validation_error")
    assert "stream" in refused.json()["error"]["message"]
    assert fusion.chat().status_code == 200


@pytest.mark.parametrize("streamed", [False, True])
def test_a_chat_remembers_what_was_said(fusion: Fusion, streamed: bool) -> None:
    chat_id = fusion.begun("my name is Ana")
    if streamed:
        assert "Ana" in tokens_of(fusion.stream("what is my name?", chat_id))
    assert "Ana" in fusion.answer("what is my name?", chat_id)
    assert "Ana" not in fusion.answer("what is my name?", fusion.begun())


@pytest.mark.parametrize("memory", ["ignored", "pretended"])
def test_a_chat_may_go_on_without_memory(start_fusion: StartFusion, memory: Memory) -> None:
    fusion = start_fusion(memory=memory)
    chat_id = fusion.begun("my name is Ana")
    assert "Ana" not in fusion.answer("what is my name?", chat_id)
    assert len(fusion.get(f"/chat/{chat_id}")["messages"]) == 4


def test_a_chat_can_be_forgotten(fusion: Fusion, emulator: Emulator) -> None:
    for forget in (emulator.forget_conversations, lambda: fusion.http.post("/_emulator/forget")):
        chat_id = fusion.begun()
        forget()
        assert fusion.chat("hello", chat_id).json()["error"]["code"] == "chat_not_found"


def test_a_reset_forgets_chats_and_knowledge_and_lists_no_file_any_more(fusion: Fusion, emulator: Emulator) -> None:
    fusion.begun()
    file_id = fusion.upload().json()["file_id"]
    fusion.ask("POST", "/knowledge", json={"name": "a", "content": "b"})
    emulator.reset()
    assert (fusion.get("/chat"), fusion.get("/knowledge")) == ({"chats": []}, {"documents": []})
    assert emulator.files == []
    assert fusion.ask("GET", f"/files/{file_id}").status_code == 200, "a proxy may be holding its id"


def test_a_chat_counts_its_earlier_turns_against_the_limit(start_fusion: StartFusion) -> None:
    fusion = start_fusion(max_input_tokens=100)
    chat_id = fusion.begun("x" * 200)
    refused = fusion.chat("x" * 200, chat_id)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "bad_request")
    assert "limit of 100 tokens" in refused.json()["error"]["message"]
    assert fusion.chat("x" * 404).status_code == 400


def test_the_oldest_chats_are_forgotten_when_there_are_too_many() -> None:
    account, chats = Account("fusion", "a"), Chats(Calendar(lambda: 0.0, "z"))
    begun = [chats.begin(account, AGENT, None, "hello").id for _ in range(KEPT + 1)]
    assert [chats.get(account, begun[index]) is None for index in (0, 1, KEPT)] == [True, False, False]


BAD_BODIES: dict[str, tuple[Any, int, str]] = {
    "no object": ([], 400, "JSON object"),
    "no message": ({"agent_id": AGENT}, 400, "message"),
    "a message of no text": ({"agent_id": AGENT, "message": 7}, 400, "message"),
    "a message of blanks": ({"agent_id": AGENT, "message": " \n"}, 400, "message"),
    "a folder that is no text": ({"agent_id": AGENT, "message": "a", "folder": 7}, 400, "folder"),
    "files that are no list": ({"agent_id": AGENT, "message": "a", "files": "x"}, 400, "files"),
    "an unknown file": ({"agent_id": AGENT, "message": "a", "files": [UNKNOWN]}, 404, "File"),
    "no agent": ({"message": "a"}, 404, "Agent"),
    "an agent whose id is no UUID": ({"agent_id": "7", "message": "a"}, 404, "Agent"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_body_that_cannot_be_used_is_refused(fusion: Fusion, case: str) -> None:
    body, status, word = BAD_BODIES[case]
    refused = fusion.ask("POST", "/chat", json=body)
    assert (refused.status_code, word in refused.json()["error"]["message"]) == (status, True)
    assert fusion.get("/chat") == {"chats": []}


def test_only_the_agents_of_the_options_are_known(start_fusion: StartFusion) -> None:
    fusion = start_fusion(fusion_agents=(AGENT,))
    assert fusion.chat().status_code == 200
    assert fusion.chat(agent_id=OTHER_AGENT).json()["error"]["code"] == "agent_not_found"


@pytest.mark.parametrize(("method", "path"), [("POST", "/message"), ("GET", ""), ("GET", "/messages"), ("DELETE", "")])
def test_a_chat_is_there_for_its_account_alone(fusion: Fusion, method: str, path: str) -> None:
    stranger = fusion.by("key-b")
    body = {"json": {"message": "hello"}} if method == "POST" else {}
    for one, chat_id in ((fusion, UNKNOWN), (stranger, fusion.begun())):
        refused = one.ask(method, f"/chat/{chat_id}{path}", **body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "chat_not_found")


def test_the_agent_is_told_of_the_files_of_a_message(fusion: Fusion) -> None:
    file_id = fusion.upload().json()["file_id"]
    assert "notas.txt (7 bytes)" in fusion.answer("What is in it?", files=[file_id])
    (chat,) = fusion.get("/chat")["chats"]
    assert fusion.get(f"/chat/{chat['id']}/messages")["messages"][0]["files"] == [file_id]


def test_the_quota_counts_every_key_alone(start_fusion: StartFusion) -> None:
    fusion = start_fusion(rpm=1, retry_after=True)
    chat_id = fusion.begun()
    refused = fusion.chat("hello", chat_id)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert fusion.by("key-b").chat().status_code == 200
    assert fusion.get(f"/chat/{chat_id}")["chat"]["id"] == chat_id, "reading is not counted"
    fusion.emulator.advance(60)
    assert fusion.chat("hello", chat_id).status_code == 200


def test_a_reply_can_be_held(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply("hello world", hold_after=5))
    with fusion.open_chat():
        emulator.wait_for(lambda e: e.chats[0].held)
        assert emulator.chats[0].frames == 4, "the chat, an empty one, `hell` and `o`"
    emulator.wait_for(lambda e: e.chats[0].disconnected)


def test_half_an_emoji_can_be_said_and_read_again(fusion: Fusion, emulator: Emulator) -> None:
    emulator.script(Reply("\ud83d"))
    chat_id = fusion.begun()
    assert fusion.get(f"/chat/{chat_id}/messages")["messages"][1]["message"] == "\ud83d"


def test_both_services_are_seen_and_counted_in_one_place(fusion: Fusion, emulator: Emulator) -> None:
    chat_id = fusion.begun()
    fusion.answer("hello", chat_id)
    for path in ("/chat", f"/chat/{chat_id}/messages", "/agents"):
        fusion.get(path)
    assert [chat.path for chat in emulator.chats] == ["/fusion/v1/chat", f"/fusion/v1/chat/{chat_id}/message"]
    assert [chat.chat_id for chat in emulator.chats] == [chat_id] * 2, "the first one began it"
    seen = fusion.http.get("/_emulator/realms/fusion").json()
    assert seen == {"chats": ["finished", "finished"], "tokens": [], "waiting": []}
