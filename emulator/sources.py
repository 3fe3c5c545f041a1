"""How an answer tells the knowledge sources that it used: every likely form, since nobody knows the real one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from emulator.steps import Json

SourceStyle = Literal["objects", "links", "texts", "ids", "cross_account"]

_URL = "https://knowledge.example.com/"
_STYLES: Mapping[SourceStyle, Callable[[str], Json]] = {
    "objects": lambda one: {"source": {"knowledge_source_id": one, "name": one}},
    "links": lambda one: {"source": {"id": one, "title": f"About {one}", "url": _URL + one}},
    "texts": lambda one: {"source": one},
    "ids": lambda _: {},
    "cross_account": lambda one: {"cross_account_source": {"knowledge_source_id": one, "name": one}},
}


def source_fields(ids: Sequence[str], style: SourceStyle) -> Json:
    """The fields of an answer that tell its sources, for knowledge sources with these `ids`."""
    told = [_STYLES[style](one) for one in ids]
    lists = {name: [each[name] for each in told if name in each] for name in ("source", "cross_account_source")}
    return {"knowledge_source_id": list(ids), **lists}
