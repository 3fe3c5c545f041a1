"""The quotas of all accounts that this process asks with."""

from __future__ import annotations

import threading

from custom_handler.quota.account import AccountQuota
from custom_handler.quota.tickets import Limits
from custom_handler.settings import STACKSPOT_QUOTA, WORKERS, Owner, QuotaTerms, read


class Quotas:
    """One quota for each account of a service, whatever thread or event loop asks. It outlives the loops.

    Args:
        minute: seconds that a minute of the service lasts; a test lets it pass faster.
        terms: the service's.
    """

    def __init__(self, minute: float = 60.0, terms: QuotaTerms = STACKSPOT_QUOTA) -> None:
        self._minute = minute
        self._terms = terms
        self._lock = threading.Lock()
        self._quotas: dict[tuple[str, ...], AccountQuota] = {}

    def of(self, account: Owner, *, alone: bool) -> AccountQuota:
        """The quota of `account`, with the limits in the settings.

        Args:
            alone: whether it decides itself, about this worker's share; only where it is new.
        """
        limits = Limits(read(self._terms.per_minute), read(self._terms.at_once))
        key = account.key
        with self._lock:
            if key not in self._quotas:
                self._quotas[key] = AccountQuota(
                    account.name, limits, self._minute, alone=alone, share=read(WORKERS), terms=self._terms
                )
        self._quotas[key].limit(limits)
        return self._quotas[key]
