"""Uploaded files: a form to post, and the object store that takes the post."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulator.ids import new_ulid
from emulator.options import Options

_UNIT_SECONDS = {"minutes": 60.0, "seconds": 1.0}


@dataclass(slots=True)
class Upload:
    """One announced file. content: None until it was posted."""

    id: str
    file_name: str
    form: dict[str, str]
    ends: float
    content: bytes | None = None


class Uploads:
    """All uploads by id. As an object store does, `put` answers with a status and an error code."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._uploads: dict[str, Upload] = {}

    def announce(self, file_name: str, expiration: float) -> Upload:
        """A new upload, open for `expiration` minutes or seconds, as `Options.expiration_unit` says."""
        upload_id = new_ulid()
        form = {
            "key": f"{upload_id}/{file_name}",
            "policy": secrets.token_urlsafe(24),
            "x-amz-signature": secrets.token_hex(32),
        }
        ends = self._clock() + expiration * _UNIT_SECONDS[self._options.expiration_unit]
        self._uploads[upload_id] = upload = Upload(upload_id, file_name, form, ends)
        return upload

    def put(self, upload_id: str, parts: Sequence[tuple[str, str | bytes]]) -> tuple[int, str]:
        """Take the parts of a multipart post, in order. (204, "") or (an error's status, its code)."""
        upload = self._uploads.get(upload_id)
        if upload is None:
            return 404, "NoSuchUpload"
        if [name for name, _ in parts].count("file") != 1:
            return 400, "IncorrectNumberOfFilesInPostRequest"
        # Fields behind the file are ignored, so they are missing when the policy is checked.
        fields = dict(parts[: [name for name, _ in parts].index("file")])
        if not _same(fields, upload.form) or self._clock() >= upload.ends:
            return 403, "AccessDenied"
        content = dict(parts)["file"]
        if not isinstance(content, bytes):
            return 400, "InvalidArgument"
        if len(content) > self._options.max_upload_bytes:
            return 400, "EntityTooLarge"
        upload.content = content
        return 204, ""

    def get(self, upload_id: object) -> Upload | None:
        """The upload of this id, once its content has come."""
        upload = self._uploads.get(upload_id) if isinstance(upload_id, str) else None
        return upload if upload is not None and upload.content is not None else None

    def clear(self) -> None:
        """Forget every file."""
        self._uploads.clear()


def _same(fields: dict[str, str | bytes], form: dict[str, str]) -> bool:
    return all(fields.get(name) == value for name, value in form.items())
