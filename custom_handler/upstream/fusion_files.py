"""How Fusion takes a file: in one request, without a chat, since the question that begins one names it already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from custom_handler.attachments import Attachment
from custom_handler.settings import FusionAccount
from custom_handler.upstream.fusion_errors import OF_FILE, Place, as_ours
from fusion_client import FusionClient


@dataclass(frozen=True, slots=True)
class FusionFiles:
    """Takes the files of one account; a `FileStore`."""

    #: How long Fusion keeps a file is not known.
    ALIVE: ClassVar[float] = 600.0

    client: FusionClient
    service: str
    account: FusionAccount

    async def send(self, file: Attachment) -> str:
        """See `FileStore.send`."""
        with as_ours(Place(self.service, file.name, self.account.key_setting, OF_FILE)):
            uploaded = await self.client.upload_file(file.data, filename=file.name, content_type=file.media_type)
            return str(uploaded.file_id)
