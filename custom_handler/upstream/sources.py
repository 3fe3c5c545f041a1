"""The knowledge that an answer draws on, as StackSpot tells it → sources. Pure.

Known are the names of the fields (`source`, `cross_account_source`, `knowledge_source_id`), and that they are lists.
What is in the first two is not, so texts and objects with the likely names are read, and all else is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from custom_handler.events import Source

_LISTS = ("source", "cross_account_source")
_IDS = "knowledge_source_id"
_TITLES = ("name", "title", "document_name", "file_name", "filename", "slug")
_URLS = ("url", "link", "uri", "source_url", "source")
_OWN_IDS = ("knowledge_source_id", "id", "source_id", "document_id")
_URN = "urn:stackspot:knowledge-source:"

_MOST = 100
_LONGEST = 2000  # characters of a title or an address


def read_sources(fields: Mapping[str, Any]) -> tuple[Source, ...]:
    """The sources in the fields of a frame; of an id alone only where nothing else tells of the same."""
    ids = [entry for entry in _entries(fields.get(_IDS)) if isinstance(entry, str)]
    listed = [entry for name in _LISTS for entry in _entries(fields.get(name)) if entry not in ids]
    if not listed and not ids:
        return ()
    known = {_first(entry, _OWN_IDS) for entry in listed if isinstance(entry, Mapping)}
    told = [*map(_source, listed), *(_source({"id": each}) for each in ids if each not in known)]
    return merged((), filter(None, told))


def merged(sources: Iterable[Source], later: Iterable[Source]) -> tuple[Source, ...]:
    """Both, each source once."""
    return tuple(dict.fromkeys((*sources, *later)))[:_MOST]


def _entries(value: Any) -> Sequence[Any]:
    if isinstance(value, list):
        return value
    return [value] if value and isinstance(value, str | Mapping) else []


def _source(entry: Any) -> Source | None:
    fields = entry if isinstance(entry, Mapping) else {"source": entry, "name": entry}
    own_id, url = _first(fields, _OWN_IDS), _first(fields, _URLS)
    title = _first(fields, _TITLES) or own_id or url
    if not title:
        return None
    if not url.startswith(("https://", "http://")):
        url = f"{_URN}{quote(own_id, safe='')}" if own_id else ""
    return Source(title[:_LONGEST], url[:_LONGEST])


def _first(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str) and value), "")
