"""A good answer to a chat request: its text, its usage, and the fields around them."""

from collections.abc import Generator, Iterator

from emulator.conversations import conversation_of
from emulator.frames import DEFAULT_CHUNK, pieces, recut, to_json
from emulator.identity import Account
from emulator.ids import new_ulid
from emulator.prompt_reading import Prompt, read_prompt
from emulator.reply import Reply
from emulator.service import Service
from emulator.sources import source_fields
from emulator.steps import Hold, Json, Send, Start, Step, Wait
from emulator.stream import Ending, Stream, plain_tokens
from emulator.uploads import Upload


class Answer:
    """One answer, which can be had as a stream or as a whole. To be used once."""

    def __init__(self, service: Service, account: Account, agent_id: str, body: Json, reply: Reply) -> None:
        self._service = service
        self._options = service.options
        self._body = body
        self._reply = reply
        self._written: list[str] = []
        self._writing: Generator[str, None, None] | None = None
        self._conversation_id = conversation_of(body)
        self._memory = (account, agent_id, self._conversation_id)
        self._prompt = self._read()

    @property
    def blocking(self) -> bool:
        """True when the text comes from a brain that may take long."""
        return self._reply.text is None and self._options.brain.blocking

    def close(self) -> None:
        """Stop the brain, which may be in the middle of a sentence."""
        if self._writing is not None:
            self._writing.close()

    def stream(self) -> Stream:
        """The answer as SSE frames, with the empty deltas at its start and end that are usual."""
        return Stream(
            items=self._items(),
            ending=self._ending,
            base=self._base(),
            dialect=self._options.dialect,
            delay=self._options.delay,
            headers=self._reply.headers,
        )

    def whole(self) -> Iterator[Step]:
        """The answer as one JSON object, sent when all of it is there."""
        if self._reply.hold_after is not None:
            yield Hold()
        for _ in self._text():
            yield Wait(self._options.delay)
        ending = self._ending()
        fields = ending.fields | plain_tokens(ending.input_tokens, ending.output_tokens)
        body = to_json({**self._base(), "message": "".join(self._written), **fields}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        yield Start(200, headers | self._reply.headers)
        yield Send(body)

    def _read(self) -> Prompt:
        prompt = read_prompt(str(self._body["user_prompt"])).with_files(map(str, self._files()))
        if self._conversation_id is None:
            return prompt
        return prompt.after(self._service.conversations.recall(self._memory))

    def _text(self) -> Iterator[str]:
        for piece in self._pieces():
            self._written.append(piece)
            yield piece

    def _items(self) -> Iterator[str]:
        yield ""
        yield from self._text()
        yield ""

    def _pieces(self) -> Iterator[str]:
        size = self._reply.chunk or self._options.chunk
        if self._reply.text is not None:
            return pieces(self._reply.text, size or DEFAULT_CHUNK)
        self._writing = self._options.brain.answer(self._prompt)
        return recut(self._writing, size)

    def _ending(self) -> Ending:
        """The end. Asked for once all text is written: only then is the answer remembered."""
        text = "".join(self._written)
        if self._conversation_id:
            self._service.conversations.store(self._memory, self._prompt.answered(text))
        brain = self._options.brain
        used = self._reply.tokens or (brain.count_tokens(self._prompt.text), brain.count_tokens(text))
        fields: Json = {
            "conversation_id": self._conversation_id if self._service.conversations.told else None,
            "stop_reason": self._reply.stop_reason,
            "message_id": new_ulid(),
        }
        return Ending(*used, fields)

    def _base(self) -> Json:
        return {
            "upload_ids": {upload.id: upload.file_name for upload in self._files()},
            **source_fields(self._sources(), self._options.sources),
            "tools_id": [],
            "agent_info": [],
        }

    def _files(self) -> list[Upload]:
        ids = self._body.get("upload_ids")
        found = map(self._service.uploads.get, ids if isinstance(ids, list) else [])
        return [upload for upload in found if upload is not None]

    def _sources(self) -> list[str]:
        """The knowledge sources used; shown only when `return_ks_in_response` asks for them."""
        body = self._body
        if body.get("return_ks_in_response") is not True:
            return []
        # Clients disagree on the name of the field, so both are read.
        named = body.get("knowledge_source_ids") or body.get("knowledge_sources")
        if isinstance(named, list) and named:
            return [str(name) for name in named]
        return ["account-knowledge"] if body.get("stackspot_knowledge") is True else []
