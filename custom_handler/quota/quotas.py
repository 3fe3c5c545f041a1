"""The quotas of all accounts that this process asks with."""

from __future__ import annotations

import threading

from custom_handler.quota.account import AccountQuota
from custom_handler.quota.tickets import Limits
from custom_handler.settings import MAX_CONCURRENT, MAX_RPM, WORKERS, Account, read


class Quotas:
    """One quota for each realm and client id, whatever thread or event loop asks. It outlives the loops.

    Args:
        minute: seconds that a minute of the service lasts; a test lets it pass faster.
    """

    def __init__(self, minute: float = 60.0) -> None:
        self._minute = minute
        self._lock = threading.Lock()
        self._quotas: dict[tuple[str, str], AccountQuota] = {}

    def of(self, account: Account, *, alone: bool) -> AccountQuota:
        """The quota of `account`, with the limits in the settings.

        Args:
            alone: whether it decides itself, about this worker's share; only where it is new.
        """
        limits = Limits(read(MAX_RPM), read(MAX_CONCURRENT))
        key = account.realm, account.client_id
        with self._lock:
            if key not in self._quotas:
                self._quotas[key] = AccountQuota(account.realm, limits, self._minute, alone=alone, share=read(WORKERS))
        self._quotas[key].limit(limits)
        return self._quotas[key]
