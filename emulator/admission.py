"""What a request must pass, whichever service it is for: the rate limit, the size of the prompt, the script."""

import math
from collections.abc import Hashable

from emulator import errors
from emulator.errors import RefusedError
from emulator.faults import Target
from emulator.identity import Account
from emulator.recording import Recorded
from emulator.reply import Reply
from emulator.service import Service


def check_rate(service: Service, account: Account) -> None:
    """Count a request of `account`. Raises RefusedError (429) when it is one too many."""
    if not service.limiter.admit(account):
        wait = {"retry-after": str(math.ceil(service.limiter.wait(account)))}
        raise RefusedError(errors.RATE_LIMITED, wait if service.options.retry_after else {})


def check_size(service: Service, memory: Hashable, message: str) -> None:
    """Raises RefusedError (400) when `message` is too long, together with the conversation that it continues."""
    options, remembered = service.options, service.conversations.recall(memory)
    tokens = len((remembered.text if remembered else "") + message) // options.characters_per_token
    if tokens > options.max_input_tokens:
        raise RefusedError(errors.too_long(options.max_input_tokens, tokens))


def next_reply(service: Service, target: Target, account: Account, record: Recorded) -> Reply:
    """What the script has for this request of `account`, whose token it may revoke."""
    reply = service.script.next(target, account.realm)
    if reply.misbehaviour.revoke:
        service.identity.revoke(record.headers)
    return reply
