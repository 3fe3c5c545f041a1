"""Parts of a message that are no text, in every dialect in which clients write them → references to files. Pure.

| API | parts |
|---|---|
| chat completions | `image_url`, `file` |
| Responses | `input_image`, `input_file` |
| Messages | `image`, `document`, `search_result` |
| MCP, as some clients pass its results on | `image` with `data` and `mimeType` |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from custom_handler import data_url
from custom_handler.attachments import FileReference
from custom_handler.errors import RequestError
from custom_handler.fields import mapping, optional_text

#: What a part says: files, and text where a document brings its text.
Said: TypeAlias = Sequence[str | FileReference]
_Reader: TypeAlias = Callable[[Mapping[str, Any], str], Said]


def interpret(part: Mapping[str, Any], path: str) -> Said:
    """What `part` says.

    Args:
        part: a part whose `type` is none of those for text.
        path: where it stands.

    Raises:
        RequestError: it is no file, refers to one that is stored elsewhere, or has a field of a wrong type.
    """
    kind = part.get("type")
    reader = READERS.get(kind, _unreadable) if isinstance(kind, str) else _unreadable
    return reader(part, path)


def _unreadable(part: Mapping[str, Any], path: str) -> NoReturn:
    raise RequestError(
        f"{path}.type is {part.get('type')!r:.40}, which these agents cannot read; send text, images or documents.",
        param=f"{path}.type",
    )


def _image_url(part: Mapping[str, Any], path: str) -> Said:
    _refuse_stored(part, path)
    image = part.get("image_url")
    if isinstance(image, Mapping):
        return [_reference(image.get("url"), f"{path}.image_url.url")]
    return [_reference(image, f"{path}.image_url")]


def _file(part: Mapping[str, Any], path: str) -> Said:
    return _input_file(mapping(part.get("file"), f"{path}.file"), f"{path}.file")


def _input_file(fields: Mapping[str, Any], path: str) -> Said:
    _refuse_stored(fields, path)
    name = optional_text(fields, "filename", path) or ""
    if fields.get("file_url") is not None:
        return [_reference(fields["file_url"], f"{path}.file_url", name)]
    data = optional_text(fields, "file_data", path)
    if not data:
        raise RequestError(f"{path}.file_data is missing.", param=f"{path}.file_data")
    url = data if _is_url(data) else data_url.of_base64(data)
    return [FileReference(url, name, f"{path}.file_data")]


def _block(part: Mapping[str, Any], path: str) -> Said:
    """An `image` or `document` of the Messages API, or an `image` of MCP."""
    if "source" not in part and "data" in part:
        return [_base64(part["data"], optional_text(part, "mimeType", path), "", f"{path}.data")]
    name, place = optional_text(part, "title", path) or "", f"{path}.source"
    source = mapping(part.get("source"), place)
    match source.get("type"):
        case "base64":
            return [_base64(source.get("data"), optional_text(source, "media_type", place), name, f"{place}.data")]
        case "url":
            return [_reference(source.get("url"), f"{place}.url", name)]
        case "text":
            return [*_about(part, path), optional_text(source, "data", place) or ""]
        case "content":
            return [*_about(part, path), *_content(source.get("content"), f"{place}.content")]
    _refuse_stored(source, place)
    raise RequestError(f"{place}.type must be base64, url, text or content.", param=f"{place}.type")


def _search_result(part: Mapping[str, Any], path: str) -> Said:
    """What a search of the client's own found, as text."""
    about = [text for key in ("title", "source") if (text := optional_text(part, key, path))]
    return [*about, *_content(part.get("content"), f"{path}.content")]


def _about(document: Mapping[str, Any], path: str) -> Said:
    """What a document of text is introduced with."""
    return [text for key in ("title", "context") if (text := optional_text(document, key, path))]


def _content(content: object, path: str) -> Said:
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list):
        raise RequestError(f"{path} must be a string or a list.", param=path)
    said: list[str | FileReference] = []
    for index, item in enumerate(content):
        part = mapping(item, f"{path}[{index}]")
        is_text = part.get("type") == "text"
        said += [str(part.get("text", ""))] if is_text else interpret(part, f"{path}[{index}]")
    return said


def _base64(data: object, media_type: str | None, name: str, path: str) -> FileReference:
    if not isinstance(data, str) or not data:
        raise RequestError(f"{path} must be a string of base64.", param=path)
    return FileReference(data_url.of_base64(data, media_type or ""), name, path)


def _reference(url: object, path: str, name: str = "") -> FileReference:
    if not isinstance(url, str) or not _is_url(url):
        raise RequestError(f"{path} must be a data: URL, or an address that begins with https://.", param=path)
    return FileReference(url, name, path)


def _is_url(text: str) -> bool:
    return data_url.is_data_url(text) or text[:8].lower().startswith(("http://", "https://"))


def _refuse_stored(fields: Mapping[str, Any], path: str) -> None:
    if fields.get("file_id") is not None:
        raise RequestError(
            f"{path}.file_id names a stored file, and this proxy stores none: send its bytes in a data: URL.",
            param=f"{path}.file_id",
        )


#: Type of a part → how it is read. Those that LiteLLM would drop without a word are named to be refused.
READERS: Mapping[str, _Reader] = {
    "image_url": _image_url,
    "input_image": _image_url,
    "file": _file,
    "input_file": _input_file,
    "image": _block,
    "document": _block,
    "search_result": _search_result,
    **dict.fromkeys(
        ("audio", "audio_url", "input_audio", "video", "video_url", "input_video", "container_upload"), _unreadable
    ),
}
