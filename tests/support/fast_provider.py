"""The provider with a minute that passes faster, which notes who comes: what config.yaml names in tests of the quota.

MINUTE names the file that says, by the time of the first request, how many seconds the minute lasts; ARRIVALS the file
that has a line for each request: the process, who asks, and the last message.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from litellm.types.utils import ModelResponse, ModelResponseStream

from custom_handler import StackspotLLM


class FastStackspot(StackspotLLM):
    """Notes each request before it is served."""

    def __init__(self) -> None:
        super().__init__()
        self._fast = False

    async def acompletion(self, *_: Any, **given: Any) -> ModelResponse:
        """See `StackspotLLM.acompletion`."""
        self._note(given)
        return await super().acompletion(**given)

    async def astreaming(self, *_: Any, **given: Any) -> AsyncGenerator[ModelResponseStream, None]:  # type: ignore[override] # as there
        """See `StackspotLLM.astreaming`."""
        self._note(given)
        async for chunk in super().astreaming(**given):
            yield chunk

    def _note(self, given: Mapping[str, Any]) -> None:
        if not self._fast:
            super().__init__(minute=float(Path(os.environ["MINUTE"]).read_text()))
            self._fast = True
        caller = given["litellm_params"]["metadata"]["user_api_key_hash"]
        with Path(os.environ["ARRIVALS"]).open("a") as arrivals:
            arrivals.write(f"{os.getpid()} {caller} {given['messages'][-1]['content']}\n")


fast_stackspot = FastStackspot()
