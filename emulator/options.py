"""Everything that can be set about an emulator, once."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from emulator.agent import Agent
from emulator.brain import Brain
from emulator.conversations import Memory
from emulator.errors import BodyStyle
from emulator.frames import FrameStyle, LineEnd
from emulator.fusion.switches import ChatTold, Lists, Streaming, Times
from emulator.reply import check_fault
from emulator.sources import SourceStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of one emulator. The defaults behave as the contract describes the real service.

    port: 0 takes a free one. realm, client_id, client_secret: None accepts any. expires_in: the field of the
    token answer, in seconds; None leaves it out, so that only the JWT's `exp` tells. token_lifetime: how long
    a token is really accepted, in seconds. opaque_tokens: random strings in place of JWTs. agent_ids: None
    accepts every ULID. rpm: requests a minute and account; None is no limit. retry_after: whether a 429 of that limit
    tells when to come back (the real one does not). clock_speed: how many seconds of tokens, rate limit and uploads
    pass in a second. max_input_tokens: of a prompt and of the conversation that it continues. memory: what becomes of
    conversations. first_byte_delay, delay: seconds before the first frame and between frames. whole_answer_limit:
    seconds after which a call that is not streamed is cut. fault: strikes every answer. error_body: shape of the
    error bodies that nobody knows. expiration_unit: of upload forms (disputed).

    Fusion has what is above, and its own: fusion_keys: None accepts any key. fusion_agents: None accepts every UUID.
    fusion_chat_told, fusion_streaming, fusion_lists, fusion_times: see `fusion.switches`. fusion_ignores_filters: every
    list of chats has all of them. fusion_keeps_chats: chats cannot be deleted.
    """

    host: str = "127.0.0.1"
    port: int = 0
    realm: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    expires_in: int | None = 1199
    token_lifetime: float = 1199.0
    opaque_tokens: bool = False
    agent_ids: tuple[str, ...] | None = None
    rpm: int | None = 100
    retry_after: bool = False
    clock_speed: float = 1.0
    max_input_tokens: int = 272_000
    characters_per_token: int = 4
    frame_style: FrameStyle = "delta"
    line_end: LineEnd = "crlf"
    chunk: int | None = None
    memory: Memory = "kept"
    first_byte_delay: float = 0.0
    delay: float = 0.0
    whole_answer_limit: float = 120.0
    fault: str | None = None
    error_body: BodyStyle | None = None
    expiration_unit: Literal["minutes", "seconds"] = "minutes"
    files_expire: bool = False
    max_upload_bytes: int = 10_000_000
    stored_status: Literal[200, 201, 204] = 204
    sources: SourceStyle = "objects"
    fusion_keys: Collection[str] | None = None
    fusion_agents: Collection[str] | None = None
    fusion_chat_told: ChatTold = "first"
    fusion_streaming: Streaming = "sse"
    fusion_lists: Lists = "object"
    fusion_times: Times = "z"
    fusion_ignores_filters: bool = False
    fusion_keeps_chats: bool = False
    brain: Brain = field(default_factory=Agent)

    def __post_init__(self) -> None:
        if self.fault is not None:
            check_fault(self.fault)
