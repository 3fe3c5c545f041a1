"""Images and files on every address, from the client's bytes to the agent's; and sources on the way back."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletion

from emulator import Emulator, Reply
from tests.end_to_end.conftest import Product
from tests.support.files import PDF, PNG, data_url
from tests.support.proxy import ProxyProcess
from tests.support.services import FUSION, STACKSPOT, Served

CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"
CSV = b"a;b\n1;2\n"
HI: Any = [{"role": "user", "content": "Hi"}]

Part = dict[str, Any]


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def source(data: bytes, media_type: str) -> Part:
    return {"type": "base64", "media_type": media_type, "data": base64_of(data)}


def file(data: bytes, media_type: str = "application/pdf", name: str = "r.pdf") -> Part:
    return {"type": "file", "file": {"file_data": data_url(data, media_type), "filename": name}}


@dataclass(frozen=True)
class Case:
    """A kind of file: how a part with its bytes looks, how its name begins, and what its bytes begin with."""

    part: Callable[[bytes], Part]
    name: str
    start: bytes

    @property
    def data(self) -> bytes:
        """Bytes that no other test has sent: the proxy would know them."""
        return self.start + uuid4().hex.encode()


CASES: dict[str, dict[str, Case]] = {
    CHAT: {
        "image_url": Case(
            lambda data: {"type": "image_url", "image_url": {"url": data_url(data), "detail": "high"}}, "image-", PNG
        ),
        "a bare image_url": Case(lambda data: {"type": "image_url", "image_url": data_url(data)}, "image-", PNG),
        "file": Case(file, "r.pdf", PDF),
        "file in base64": Case(
            lambda data: {"type": "file", "file": {"file_data": base64_of(data), "filename": "r.pdf"}}, "r.pdf", PDF
        ),
        "file of text": Case(lambda data: file(data, "text/csv", "Übersicht 1.csv"), "Übersicht 1.csv", CSV),
        "an image of MCP": Case(
            lambda data: {"type": "image", "data": base64_of(data), "mimeType": "image/png"}, "image-", PNG
        ),
    },
    RESPONSES: {
        "input_image": Case(
            lambda data: {"type": "input_image", "image_url": data_url(data), "detail": "high"}, "image-", PNG
        ),
        "input_file": Case(lambda data: {"type": "input_file", **file(data)["file"]}, "r.pdf", PDF),
        "input_file in base64": Case(
            lambda data: {"type": "input_file", "file_data": base64_of(data), "filename": "r.pdf"}, "r.pdf", PDF
        ),
    },
    MESSAGES: {
        "image": Case(lambda data: {"type": "image", "source": source(data, "image/png")}, "image-", PNG),
        "document": Case(
            lambda data: {"type": "document", "title": "My report", "source": source(data, "application/pdf")},
            "My report.pdf",
            PDF,
        ),
    },
}
EACH = pytest.mark.parametrize(
    ("path", "case"),
    [pytest.param(path, case, id=f"{path} {name}") for path, cases in CASES.items() for name, case in cases.items()],
)


def asking(path: str, part: Part) -> dict[str, Any]:
    """A question with `part`, as a body for `path`."""
    if path == RESPONSES:
        return {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Look:"}, part]}]}
    limit = {"max_tokens": 1000} if path == MESSAGES else {}
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "Look:"}, part]}], **limit}


def with_result(path: str, part: Part) -> dict[str, Any]:
    """A result of a tool that is `part`, as a body for `path`."""
    go: Part = {"role": "user", "content": "Go"}
    if path == RESPONSES:
        called: Part = {"type": "function_call", "call_id": "c", "name": "shoot", "arguments": "{}"}
        return {"input": [go, called, {"type": "function_call_output", "call_id": "c", "output": [part]}]}
    if path == MESSAGES:
        used: Part = {"type": "tool_use", "id": "c", "name": "shoot", "input": {}}
        result: Part = {"type": "tool_result", "tool_use_id": "c", "content": [part]}
        turns = [go, {"role": "assistant", "content": [used]}, {"role": "user", "content": [result]}]
        return {"messages": turns, "max_tokens": 1000}
    call: Part = {"id": "c", "type": "function", "function": {"name": "shoot", "arguments": "{}"}}
    answered: Part = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"messages": [go, answered, {"role": "tool", "tool_call_id": "c", "content": [part]}]}


def a_file() -> Part:
    """A file that the proxy does not know."""
    return file(CASES[CHAT]["file"].data)


def post(http: httpx.Client, service: Served, path: str, **fields: Any) -> httpx.Response:
    return http.post(path, json={"model": service.model, **fields})


def said(answer: httpx.Response) -> str:
    """The text of a whole answer of any of the three APIs."""
    body = answer.json()
    assert answer.status_code == 200, answer.text
    if "output" in body:
        return "".join(part["text"] for item in body["output"] for part in item["content"])
    return str(body["content"][0]["text"] if "content" in body else body["choices"][0]["message"]["content"])


@EACH
def test_a_file_reaches_the_agent_by_its_name(
    http: httpx.Client, emulator: Emulator, path: str, case: Case, service: Served
) -> None:
    data = case.data
    answer = said(post(http, service, path, **asking(path, case.part(data))))
    (stored,) = emulator.files
    (chat,) = emulator.chats
    assert (stored.file_name.startswith(case.name), stored.content) == (True, data)
    assert service.files(chat) == [stored.id]
    assert service.prompt(chat) == f"Look:\n[attached file: {stored.file_name}]"
    assert answer == f"I have received {stored.file_name} ({len(data)} bytes)."


@EACH
def test_a_file_in_a_result_of_a_tool_reaches_the_agent(
    http: httpx.Client,
    emulator: Emulator,
    path: str,
    case: Case,
    service: Served,
) -> None:
    data = case.data
    emulator.script(Reply("ok"))
    said(post(http, service, path, **with_result(path, case.part(data))))
    (stored,) = emulator.files
    assert (stored.file_name.startswith(case.name), stored.content) == (True, data)
    assert f'<tool_result name="shoot">\n[attached file: {stored.file_name}]\n' in service.prompt(emulator.chats[0])


@pytest.mark.parametrize("path", CASES)
def test_an_answer_about_a_file_is_streamed(http: httpx.Client, emulator: Emulator, path: str, service: Served) -> None:
    case = next(iter(CASES[path].values()))
    answer = post(http, service, path, stream=True, **asking(path, case.part(case.data)))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "bytes)." in answer.text
    assert len(emulator.files) == 1


def test_a_document_of_text_is_its_text(http: httpx.Client, emulator: Emulator, service: Served) -> None:
    text = {"type": "text", "media_type": "text/plain", "data": "hello"}
    said(post(http, service, MESSAGES, **asking(MESSAGES, {"type": "document", "title": "Notes", "source": text})))
    assert service.prompt(emulator.chats[0]) == "Look:\nNotes\nhello"
    assert not emulator.files


def test_a_conversation_sends_a_file_once(client: openai.OpenAI, emulator: Emulator, service: Served) -> None:
    turns: Any = asking(CHAT, a_file())["messages"]
    for _ in range(3):
        answer = client.chat.completions.create(model=service.model, messages=turns)
        turns += [
            {"role": "assistant", "content": answer.choices[0].message.content},
            {"role": "user", "content": "And?"},
        ]
    assert service.uploads(emulator) == len(emulator.files) == 1
    assert [service.files(chat) for chat in emulator.chats] == [[emulator.files[0].id]] * 3


def test_files_take_nothing_from_the_tokens_of_a_prompt(
    http: httpx.Client, emulator: Emulator, service: Served
) -> None:
    large = {"type": "image_url", "image_url": {"url": data_url(PNG + b"\0" * 3_000_000)}}
    said(post(http, service, CHAT, **asking(CHAT, large)))
    assert len(service.prompt(emulator.chats[0])) < 100
    assert len(emulator.files[0].content or b"") > 3_000_000


@pytest.mark.parametrize(
    ("path", "part", "param", "words"),
    [
        (
            CHAT,
            {"type": "image_url", "image_url": {"url": "https://a.example/b"}},
            "image_url.url",
            "STACKSPOT_FILE_HOSTS",
        ),
        (CHAT, {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ"}}, "image_url.url", "base64"),
        (CHAT, {"type": "image_url", "image_url": {"url": "data:image/png,x"}}, "image_url.url", "first bytes"),
        (CHAT, {"type": "file", "file": {"file_id": "file-1"}}, "file.file_id", "send its bytes in a data: URL"),
        (CHAT, {"type": "file", "file": {"file_data": "QQ"}}, "file.file_data", "base64"),
        (CHAT, {"type": "input_audio", "input_audio": {}}, "type", "send text, images or documents"),
        (RESPONSES, {"type": "input_file", "file_id": "file-1"}, "file_id", "send its bytes in a data: URL"),
        (RESPONSES, {"type": "input_image", "file_id": "file-1"}, "file_id", "send its bytes in a data: URL"),
        (RESPONSES, {"type": "input_audio", "input_audio": {}}, "type", "send text, images or documents"),
        (RESPONSES, {"type": "input_file", "file_url": "https://a.example/b.pdf"}, None, "STACKSPOT_FILE_HOSTS"),
        (MESSAGES, {"type": "image", "source": {"type": "file", "file_id": "f"}}, "source.file_id", "send its bytes"),
        (
            MESSAGES,
            {"type": "image", "source": {"type": "url", "url": "https://a.example"}},
            None,
            "STACKSPOT_FILE_HOSTS",
        ),
        (MESSAGES, {"type": "container_upload", "file_id": "f"}, "type", "send text, images or documents"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_sent(
    http: httpx.Client,
    emulator: Emulator,
    path: str,
    part: Part,
    param: str | None,
    words: str,
    service: Served,
) -> None:
    answer = post(http, service, path, **asking(path, part))
    error = answer.json()["error"]
    assert (answer.status_code, words in error["message"]) == (400, True), answer.text
    if param is not None:
        field = "input" if path == RESPONSES else "messages"
        assert error["param"] == f"{field}[0].content[1].{param}"
    assert not emulator.requests


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("service", "fault", "status", "code", "words"),
    [
        (STACKSPOT, "form_refused", 400, "invalid_request", "did not accept the file 'r.pdf'"),
        (STACKSPOT, "form_forbidden", 403, "upload_refused", "Enterprise account"),
        (STACKSPOT, "form_rate_limited", 429, "rate_limit_exceeded", "no more files for now"),
        (STACKSPOT, "store_too_large", 400, "invalid_request", "finds 'r.pdf' too large"),
        (STACKSPOT, "store_refused", 502, "upstream_error", "refused 'r.pdf' (403, AccessDenied)"),
        (FUSION, "store_too_large", 400, "invalid_request", "did not accept the file 'r.pdf'"),
        (FUSION, "store_refused", 403, "upload_refused", "does not let FUSION_API_KEY upload 'r.pdf'"),
    ],
    indirect=["service"],
)
def test_an_upload_that_is_refused_is_an_error_with_its_status_streamed_or_not(
    http: httpx.Client,
    emulator: Emulator,
    fault: str,
    status: int,
    code: str,
    words: str,
    stream: bool,
    service: Served,
) -> None:
    emulator.script(Reply(fault=fault))
    answer = post(http, service, CHAT, stream=stream, **asking(CHAT, a_file()))
    text = answer.text.partition("data: ")[2].partition("\n")[0] if "data: {" in answer.text else answer.text
    error = json.loads(text)["error"]
    assert (answer.status_code, error["code"], words in error["message"]) == (status, code, True), answer.text
    assert not emulator.chats


def test_an_upload_that_fails_once_is_not_seen(http: httpx.Client, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply(fault="store_down"))
    assert "r.pdf" in said(post(http, service, CHAT, **asking(CHAT, a_file())))
    assert service.uploads(emulator) == 2


def test_a_body_that_is_too_large_is_refused_with_numbers(
    http: httpx.Client, emulator: Emulator, service: Served
) -> None:
    part = {"type": "image_url", "image_url": {"url": data_url(PNG + b"\0" * 10_000_000)}}
    answer = post(http, service, CHAT, **asking(CHAT, part))
    assert answer.status_code == 400
    assert "at most 10000000 are accepted" in answer.json()["error"]["message"]
    part["image_url"] = {"url": data_url(b"\0" * 30_000_000)}
    assert post(http, service, CHAT, **asking(CHAT, part)).status_code == 413
    assert not emulator.requests


@pytest.mark.parametrize(
    ("place", "status"),
    [
        (lambda image: {"messages": [{"role": "user", "content": [image]}]}, 200),
        (lambda image: {"messages": HI, "system": [image]}, 400),
        (lambda image: {"messages": [{"role": "user", "content": [{"type": "tool_use", "input": [image]}]}]}, 400),
    ],
)
def test_counting_tokens_fetches_nothing(
    running: Product,
    http: httpx.Client,
    place: Callable[[Part], dict[str, Any]],
    status: int,
    service: Served,
) -> None:
    """LiteLLM fetches images with `detail: high` to count them: not here, from wherever they are said to be."""
    running.emulator.reset()
    image = {"type": "image_url", "image_url": {"url": f"{running.emulator.url}/v1/agents", "detail": "high"}}
    answer = post(http, service, "/v1/messages/count_tokens", **place(image))
    assert answer.status_code == status, answer.text
    assert not running.emulator.requests


def test_neither_files_nor_their_text_are_in_the_log(
    http: httpx.Client,
    emulator: Emulator,
    proxy: ProxyProcess,
    service: Served,
) -> None:
    emulator.script(Reply(fault="store_refused"))
    secret = base64.b64encode(b"a-secret-of-the-bank").decode()
    part = {"type": "file", "file": {"file_data": secret, "filename": "s.txt"}}
    post(http, service, CHAT, **asking(CHAT, part))
    post(http, service, CHAT, **asking(CHAT, {"type": "file", "file": {"file_data": f"{secret}!"}}))
    assert secret not in proxy.log_text()
    assert "a-secret-of-the-bank" not in proxy.log_text()


# Knowledge

ANNOTATIONS = [
    {
        "type": "url_citation",
        "url_citation": {
            "start_index": 0,
            "end_index": 0,
            "title": name,
            "url": f"urn:stackspot:knowledge-source:{name}",
        },
    }
    for name in ("manual", "wiki")
]


def test_an_agent_is_asked_with_its_knowledge_its_version_and_its_model(
    client: openai.OpenAI, emulator: Emulator
) -> None:
    client.chat.completions.create(model="librarian", messages=HI)
    body = emulator.chats[0].json
    assert body["knowledge_source_ids"] == body["knowledge_sources"] == ["manual", "wiki"]
    assert (body["deep_search_ks"], body["return_ks_in_response"], body["stackspot_knowledge"]) == (True, True, False)
    assert (body["agent_version_number"], body["selected_model"]) == (3, "gpt-5")


def test_a_request_cannot_choose_other_knowledge(http: httpx.Client, emulator: Emulator, service: Served) -> None:
    post(http, service, CHAT, messages=HI, knowledge_sources=["salaries"], selected_model="other", deep_search_ks=True)
    assert not {"knowledge_sources", "knowledge_source_ids", "selected_model", "deep_search_ks"} & set(
        emulator.chats[0].json
    )


def test_sources_are_annotations_of_the_message(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("Olá", tokens=(7, 3)))
    answer: ChatCompletion = client.chat.completions.create(model="librarian", messages=HI)
    annotations = answer.choices[0].message.annotations
    assert annotations is not None
    assert [annotation.model_dump() for annotation in annotations] == ANNOTATIONS
    assert answer.choices[0].message.content == "Olá"


def test_sources_are_streamed_before_the_end(client: openai.OpenAI, emulator: Emulator) -> None:
    emulator.script(Reply("Olá, mundo", chunk=3, tokens=(7, 3)))
    chunks = list(
        client.chat.completions.create(
            model="librarian", messages=HI, stream=True, stream_options={"include_usage": True}
        )
    )
    deltas = [chunk.choices[0].delta.model_dump(exclude_none=True) for chunk in chunks if chunk.choices]
    told = [index for index, delta in enumerate(deltas) if "annotations" in delta]
    assert [deltas[index]["annotations"] for index in told] == [ANNOTATIONS]
    assert "".join(delta.get("content", "") for delta in deltas[: told[0]]) == "Olá, mundo"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None


def test_openais_sdk_puts_streamed_sources_together(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="librarian", messages=HI) as stream:
        message: Any = stream.get_final_completion().choices[0].message
    assert [annotation.model_dump() for annotation in message.annotations] == ANNOTATIONS


@pytest.mark.parametrize("stream", [False, True])
def test_sources_are_annotations_of_a_response(client: openai.OpenAI, stream: bool) -> None:
    if stream:
        with client.responses.stream(model="librarian", input="Hi") as events:
            kinds = [event.type for event in events]
            response: Any = events.get_final_response()
        assert kinds.count("response.output_text.annotation.added") == 2
    else:
        response = client.responses.create(model="librarian", input="Hi")
    annotations = response.output[0].content[0].annotations
    assert [(each.type, each.title, each.url) for each in annotations] == [
        ("url_citation", name, f"urn:stackspot:knowledge-source:{name}") for name in ("manual", "wiki")
    ]


def test_a_message_of_anthropics_api_has_no_place_for_sources(http: httpx.Client, emulator: Emulator) -> None:
    emulator.script(Reply("Olá"))
    assert said(post(http, STACKSPOT, MESSAGES, model="librarian", messages=HI, max_tokens=100)) == "Olá"


def test_without_knowledge_there_are_no_annotations(http: httpx.Client, emulator: Emulator, service: Served) -> None:
    emulator.script(Reply("Olá"))
    assert "annotations" not in post(http, service, CHAT, messages=HI).text
