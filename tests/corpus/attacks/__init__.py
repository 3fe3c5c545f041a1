"""Attacks: texts that want to be read as a call, or as a part of the prompt's structure, and where they come from.

`ATTACKS` succeed where nothing is done about them, against a model that quotes the prompt word for word or one that
writes plain letters for disguised ones. `TRICKS` are made against the escaping itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.corpus.attacks.disguises import DISGUISES
from tests.corpus.attacks.payloads import PAYLOADS, TRICK_PAYLOADS
from tests.corpus.attacks.places import ONE_LINE, PLACES, Place


@dataclass(frozen=True, slots=True)
class Attack:
    """`texts` are put into consecutive messages (or tools) at `place`."""

    name: str
    place: Place
    texts: tuple[str, ...]

    @property
    def place_name(self) -> str:
        """Where the texts come from; the first part of the name."""
        return self.name.split(" / ")[0]


def _fits(place: str, text: str) -> bool:
    return place not in ONE_LINE or not set(text) & set('\n"\\')


ATTACKS = [
    Attack(f"{place} / {payload} / {disguise}", put, (hide(text),))
    for place, put in PLACES.items()
    for payload, text in PAYLOADS.items()
    for disguise, hide in DISGUISES.items()
    if _fits(place, hide(text)) and (hide(text) != text or disguise == "plain")
]
TRICKS = [
    Attack(f"{place} / {payload}", put, texts)
    for place, put in PLACES.items()
    for payload, texts in TRICK_PAYLOADS.items()
    if all(_fits(place, text) for text in texts)
]
