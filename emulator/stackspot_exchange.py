"""What StackSpot tells around the text of an answer."""

from emulator.conversations import conversation_of
from emulator.exchange import Exchange
from emulator.frames import StackSpotDialect
from emulator.identity import Account
from emulator.ids import new_ulid
from emulator.service import Service
from emulator.sources import source_fields
from emulator.steps import Json
from emulator.stream import Ending, plain_tokens


class StackSpotExchange(Exchange):
    """One chat request to an agent of StackSpot, by its body."""

    def __init__(self, service: Service, account: Account, agent_id: str, body: Json, stop_reason: str) -> None:
        self._body = body
        self._stop_reason = stop_reason
        self._conversation_id = conversation_of(body)
        self._files = service.uploads.found(body.get("upload_ids"))
        memory = (account, agent_id, self._conversation_id) if self._conversation_id else None
        super().__init__(service, str(body["user_prompt"]), self._files, memory)
        self.dialect = StackSpotDialect(style=service.options.frame_style, line_end=service.options.line_end)

    @property
    def base(self) -> Json:
        """The object that stands around every answer."""
        return {
            "upload_ids": {upload.id: upload.file_name for upload in self._files},
            **source_fields(self._sources(), self._service.options.sources),
            "tools_id": [],
            "agent_info": [],
        }

    def whole(self, text: str, ending: Ending) -> Json:
        """The base with the text and all that a final frame tells."""
        used = plain_tokens(ending.input_tokens, ending.output_tokens)
        return {**self.base, "message": text, **ending.fields, **used}

    def end(self, text: str) -> Json:
        """The fields of the final frame."""
        self._remember(text)
        return {
            "conversation_id": self._conversation_id if self._service.conversations.told else None,
            "stop_reason": self._stop_reason,
            "message_id": new_ulid(),
        }

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
