"""The agent API without faults: streams, whole answers, limits, memory."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from emulator import Emulator, Reply
from emulator.conversations import KEPT, Conversations, Memory
from emulator.prompt_reading import read_prompt
from tests.conftest import AGENT
from tests.emulator.conftest import Start
from tests.emulator.emulator_client import Client, body_of, frames_of, text_of

BASE_KEYS = {"upload_ids", "knowledge_source_id", "source", "cross_account_source", "tools_id", "agent_info"}
ULID = "01KJJB4T9SP5V1SYDEYHTZ5N6Y"


def test_a_streamed_answer_is_sse_that_closes_the_connection(client: Client) -> None:
    response = client.chat()
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["connection"] == "close"


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 11, 23])
def test_the_text_is_the_same_however_it_is_cut(client: Client, emulator: Emulator, chunk: int) -> None:
    text = "Olá, 🙂 mundo!\n\tdata: [DONE]\r\n\r\n\u2028fim"
    emulator.script(Reply(text, chunk=chunk))
    frames = frames_of(client.chat().content)
    assert "".join(frame.get("message", "") for frame in frames) == text
    assert max(len(frame.get("message", "")) for frame in frames) == min(chunk, len(text))


def test_the_first_and_the_last_delta_are_empty(client: Client) -> None:
    *deltas, final = frames_of(client.chat().content)
    assert deltas[0] == deltas[-1] == {"message": ""}
    assert "message" not in final


def test_delta_frames_carry_only_the_message(start: Start) -> None:
    *deltas, _ = frames_of(start(frame_style="delta").chat().content)
    assert all(frame.keys() == {"message"} for frame in deltas)


def test_base_frames_carry_the_base_object_every_time(start: Start) -> None:
    *deltas, final = frames_of(start(frame_style="base").chat().content)
    assert all(frame.keys() == BASE_KEYS | {"message"} for frame in deltas)
    assert final.keys() >= BASE_KEYS


@pytest.mark.parametrize(("line_end", "blank", "other"), [("crlf", b"\r\n\r\n", b"}\n"), ("lf", b"}\n\n", b"\r")])
def test_line_ends_are_an_option(start: Start, line_end: str, blank: bytes, other: bytes) -> None:
    body = body_of(start(line_end=line_end).raw_chat())
    assert body.endswith(blank)
    assert other not in body


def test_the_final_frame_tells_reason_tokens_and_id(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("hello", tokens=(749, 5)))
    final = frames_of(client.chat().content)[-1]
    assert final.keys() == {"conversation_id", "stop_reason", "tokens", "message_id"}
    assert (final["stop_reason"], final["tokens"]) == ("stop", {"input": 749, "output": 5})
    assert final["conversation_id"] is None
    assert len(final["message_id"]) == 26


def test_another_stop_reason_can_be_scripted(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("hello", stop_reason="max_tokens"))
    assert frames_of(client.chat().content)[-1]["stop_reason"] == "max_tokens"


def test_tokens_are_counted_when_nobody_says_how_many(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("x" * 40), Reply(""))
    assert frames_of(client.chat("y" * 20).content)[-1]["tokens"] == {"input": 5, "output": 10}
    assert frames_of(client.chat("y").content)[-1]["tokens"] == {"input": 1, "output": 1}


def test_an_answer_that_is_not_streamed_is_one_object(client: Client, emulator: Emulator) -> None:
    emulator.script(Reply("Olá 🙂", tokens=(3, 4)))
    response = client.chat(streaming=False)
    answer = response.json()
    assert response.headers["content-type"] == "application/json"
    assert answer.keys() == BASE_KEYS | {"message", "stop_reason", "tokens", "message_id", "conversation_id"}
    assert (answer["message"], answer["tokens"]) == ("Olá 🙂", {"input": 3, "output": 4})


def test_an_answer_that_is_not_streamed_in_time_is_cut(start: Start) -> None:
    client = start(whole_answer_limit=0.01, first_byte_delay=60)
    with client.open_chat() as connection:
        client.emulator.wait_for(lambda e: e.chats != [])
        assert not client.emulator.chats[0].dropped, "a streamed answer has no such limit"
        connection.close()
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
        client.chat(streaming=False)
    assert client.emulator.chats[1].dropped


def test_a_delay_before_the_first_byte_and_between_frames_delays_but_changes_nothing(start: Start) -> None:
    client = start(first_byte_delay=0.01, delay=0.001)
    client.emulator.script(Reply("hello world"), Reply("hello world"))
    assert client.text() == "hello world"
    assert client.chat(streaming=False).json()["message"] == "hello world"


def test_the_chunk_size_is_an_option(start: Start) -> None:
    frames = frames_of(start(chunk=2).chat("Say abcdef").content)
    assert [frame["message"] for frame in frames[:-1]] == ["", "ab", "cd", "ef", ""]


@pytest.mark.parametrize("agent", ["not-a-ulid", "81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FA", "I" * 26])
def test_an_agent_id_that_is_no_ulid_is_an_empty_403(client: Client, agent: str) -> None:
    response = client.chat(agent=agent)
    assert (response.status_code, response.content) == (403, b"")


def test_only_allowed_agents_are_known_when_they_are_listed(start: Start) -> None:
    client = start(agent_ids=(ULID,))
    assert client.chat(agent=ULID).status_code == 200
    assert client.chat(agent=AGENT).status_code == 403


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"{}", b'{"user_prompt":""}', b'{"user_prompt":7}', b"[" * 99999]
)
def test_a_body_without_a_prompt_is_a_400_in_the_envelope(client: Client, content: bytes) -> None:
    headers = client.headers() | {"Content-Type": "application/json"}
    response = client.http.post(f"/v1/agent/{AGENT}/chat", content=content, headers=headers)
    assert response.status_code == 400
    assert response.json().keys() == {"type", "code", "details"}


def test_the_101st_request_within_a_minute_is_refused_across_agents(client: Client, emulator: Emulator) -> None:
    assert {client.chat(agent=(AGENT, ULID)[n % 2]).status_code for n in range(100)} == {200}
    response = client.chat()
    assert response.status_code == 429
    assert response.json() == {
        "type": "TooManyRequests",
        "code": "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED",
        "details": "Maximum number of requests reached.",
    }
    assert "retry-after" not in response.headers
    emulator.advance(60)
    assert client.chat().status_code == 200


def test_the_window_slides(start: Start) -> None:
    client = start(rpm=2)
    assert client.chat().status_code == 200
    client.emulator.advance(40)
    assert client.chat().status_code == 200
    client.emulator.advance(20)
    assert client.chat().status_code == 200, "the first request is a minute old"
    assert client.chat().status_code == 429, "the second is not"


def test_a_refusal_may_tell_when_to_come_back(start: Start) -> None:
    client = start(rpm=1, retry_after=True)
    assert client.chat().status_code == 200
    client.emulator.advance(50)
    answer = client.chat()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
    client.emulator.advance(10)
    assert client.chat().status_code == 200


def test_a_minute_may_pass_in_less_than_a_thousandth_of_a_second(start: Start) -> None:
    client = start(rpm=1, clock_speed=1e6, token_lifetime=1e12)
    assert [client.chat().status_code for _ in range(3)] == [200] * 3


def test_every_account_has_a_quota_of_its_own(start: Start) -> None:
    client = start(rpm=1)
    for realm, name in (("acme", "client-a"), ("acme", "client-b"), ("other", "client-a")):
        client.sign_in(realm, client_id=name)
        assert [client.chat().status_code for _ in range(2)] == [200, 429]


def test_a_prompt_of_too_many_tokens_is_a_400_with_both_numbers(start: Start) -> None:
    client = start(max_input_tokens=10, characters_per_token=1)
    assert client.chat("x" * 10).status_code == 200
    response = client.chat("x" * 11)
    assert response.status_code == 400
    assert response.json()["code"] == "INFERENCE_6001_LLM_MODEL_BAD_REQUEST"
    assert "limit of 10 tokens" in response.json()["details"]
    assert "resulted in 11 tokens" in response.json()["details"]


def test_the_real_limit_is_272000_tokens_of_about_four_characters(client: Client) -> None:
    assert client.chat("x" * (4 * 272_000 + 3)).status_code == 200
    assert client.chat("x" * (4 * 272_000 + 4)).status_code == 400


def test_a_conversation_is_remembered(client: Client) -> None:
    first = frames_of(client.chat("my name is Ana", use_conversation=True, conversation_id=ULID).content)
    assert first[-1]["conversation_id"] == ULID
    assert "Ana" in client.text("what is my name?", use_conversation=True, conversation_id=ULID)


def test_a_conversation_counts_its_earlier_turns_as_input(client: Client) -> None:
    used = [
        frames_of(client.chat("x" * 400, use_conversation=True, conversation_id=ULID).content)[-1]["tokens"]["input"]
        for _ in range(2)
    ]
    assert used[0] == 100
    assert used[1] > 200


def test_a_conversation_counts_against_the_limit(start: Start) -> None:
    client = start(max_input_tokens=100)
    statuses = [client.chat("x" * 200, use_conversation=True, conversation_id=ULID).status_code for _ in range(2)]
    assert statuses == [200, 400]
    assert client.chat("x" * 200).status_code == 200


@pytest.mark.parametrize(("memory", "told"), [("ignored", None), ("pretended", ULID)])
def test_a_service_without_memory_may_say_so_or_not(start: Start, memory: Memory, told: str | None) -> None:
    client = start(memory=memory)
    conversation: dict[str, Any] = {"use_conversation": True, "conversation_id": ULID}
    assert frames_of(client.chat("my name is Ana", **conversation).content)[-1]["conversation_id"] == told
    assert "Ana" not in client.text("what is my name?", **conversation)


def test_a_conversation_can_be_forgotten(client: Client, emulator: Emulator) -> None:
    conversation: dict[str, Any] = {"use_conversation": True, "conversation_id": ULID}
    for forget in (emulator.forget_conversations, lambda: client.http.post("/_emulator/forget")):
        client.text("my name is Ana", **conversation)
        forget()
        assert "Ana" not in client.text("what is my name?", **conversation)


def test_the_oldest_conversations_are_forgotten_when_there_are_too_many() -> None:
    conversations = Conversations("kept")
    for number in range(KEPT + 1):
        conversations.store(number, read_prompt(""))
    assert [conversations.recall(number) is None for number in (0, 1, KEPT)] == [True, False, False]


@pytest.mark.parametrize(
    "body",
    [{}, {"conversation_id": ULID}, {"use_conversation": False, "conversation_id": ULID}, {"use_conversation": 1}],
)
def test_without_use_conversation_nothing_is_remembered(client: Client, body: dict[str, Any]) -> None:
    assert frames_of(client.chat("my name is Ana", **body).content)[-1]["conversation_id"] is None
    assert "Ana" not in client.text("what is my name?", **body)


@pytest.mark.parametrize("given", ["not-a-ulid", None, 7, ULID.lower()])
def test_a_conversation_id_that_is_no_ulid_begins_a_new_conversation(client: Client, given: object) -> None:
    answers = [
        client.chat(text, use_conversation=True, conversation_id=given)
        for text in ("my name is Ana", "what is my name?")
    ]
    ids = [frames_of(answer.content)[-1]["conversation_id"] for answer in answers]
    assert len(set(ids)) == 2
    assert given not in ids
    assert "Ana" not in text_of(answers[1].content)


def test_two_first_calls_of_a_conversation_race_and_the_last_one_wins(client: Client, emulator: Emulator) -> None:
    conversation: dict[str, Any] = {"use_conversation": True, "conversation_id": ULID}
    emulator.script(Reply("slow answer", hold=True))
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(client.text, "my name is Ana", **conversation)
        emulator.wait_for(lambda e: e.chats[0].held)
        client.text("my color is blue", **conversation)
        emulator.release()
        slow.result()
    assert "Ana" in client.text("what is my name?", **conversation)
    assert "blue" not in client.text("what is my color?", **conversation)


def test_agents_are_listed_in_both_versions(start: Start) -> None:
    client = start(agent_ids=(ULID, AGENT))
    listed = client.http.get("/v1/agents", headers=client.headers()).json()
    assert [agent["id"] for agent in listed] == [ULID, AGENT]
    page = client.http.get("/v4/agents?page=2&size=1", headers=client.headers()).json()
    assert page == {"items": [listed[1]]}
    assert client.http.get("/v4/agents?page=x&size=-1", headers=client.headers()).json() == {"items": listed}


@pytest.mark.parametrize("path", ["/v1/agents", "/v4/agents"])
def test_agents_are_not_listed_without_a_token(client: Client, path: str) -> None:
    assert client.http.get(path).status_code == 401


def test_there_is_an_agent_to_list_when_all_are_allowed(client: Client) -> None:
    (agent,) = client.http.get("/v1/agents", headers=client.headers()).json()
    assert client.chat(agent=agent["id"]).status_code == 200


@pytest.mark.parametrize(
    ("body", "sources"),
    [
        ({}, []),
        ({"stackspot_knowledge": True}, []),
        ({"return_ks_in_response": True}, []),
        ({"return_ks_in_response": True, "stackspot_knowledge": True}, ["account-knowledge"]),
        ({"return_ks_in_response": True, "knowledge_source_ids": ["a", "b"]}, ["a", "b"]),
        ({"return_ks_in_response": True, "knowledge_sources": ["c"]}, ["c"]),
    ],
)
def test_knowledge_sources_are_named_only_when_asked_for(
    client: Client, body: dict[str, Any], sources: list[str]
) -> None:
    answer = client.chat(streaming=False, **body).json()
    assert answer["knowledge_source_id"] == sources
    assert [source["knowledge_source_id"] for source in answer["source"]] == sources
