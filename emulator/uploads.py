"""Uploaded files: a form to post, and the object store that takes the post."""

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emulator.errors import ACCESS_DENIED, TOO_LARGE, RefusedError, store_error
from emulator.ids import new_ulid, new_uuid
from emulator.options import Options

_UNIT_SECONDS = {"minutes": 60.0, "seconds": 1.0}


@dataclass(slots=True)
class Upload:
    """One announced file. realm: of the account that announced it. content: None until it was posted."""

    id: str
    realm: str
    file_name: str
    form: dict[str, str]
    ends: float
    content: bytes | None = None

    def __str__(self) -> str:
        return f"{self.file_name} ({len(self.content or b'')} bytes)"


class Uploads:
    """All uploads by id."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._uploads: dict[str, Upload] = {}
        self._earlier: dict[str, Upload] = {}

    def announce(self, realm: str, file_name: str, expiration: float) -> Upload:
        """A new upload of an account in `realm`, open for `expiration` of what `Options.expiration_unit` says."""
        upload_id = new_ulid()
        form = {
            "key": f"{upload_id}/{file_name}",
            "policy": secrets.token_urlsafe(24),
            "x-amz-signature": secrets.token_hex(32),
        }
        ends = self._clock() + expiration * _UNIT_SECONDS[self._options.expiration_unit]
        self._uploads[upload_id] = upload = Upload(upload_id, realm, file_name, form, ends)
        return upload

    def take(self, realm: str, file_name: str, content: bytes) -> Upload:
        """A file of an account in `realm` that came without a form; it stays."""
        upload = Upload(new_uuid(), realm, file_name, {}, math.inf, content)
        self._uploads[upload.id] = upload
        return upload

    def put(self, upload_id: str, parts: Sequence[tuple[str, str | bytes]]) -> Upload:
        """Take the parts of a multipart post, in order. Raises RefusedError with the store's own error."""
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise RefusedError(store_error(404, "NoSuchUpload"))
        if [name for name, _ in parts].count("file") != 1:
            raise RefusedError(store_error(400, "IncorrectNumberOfFilesInPostRequest"))
        # Fields behind the file are ignored, so they are missing when the policy is checked.
        fields = dict(parts[: [name for name, _ in parts].index("file")])
        if not _same(fields, upload.form) or self._clock() >= upload.ends:
            raise RefusedError(ACCESS_DENIED)
        content = dict(parts)["file"]
        if not isinstance(content, bytes):
            raise RefusedError(store_error(400, "InvalidArgument"))
        if len(content) > self._options.max_upload_bytes:
            raise RefusedError(TOO_LARGE)
        upload.content = content
        return upload

    def get(self, upload_id: object) -> Upload | None:
        """The upload of this id, once its content has come."""
        upload = self._uploads.get(str(upload_id)) or self._earlier.get(str(upload_id))
        return upload if upload and self._is_there(upload) else None

    def found(self, ids: object) -> list[Upload]:
        """The uploads of these ids whose content has come; none for what is no list."""
        found = map(self.get, ids if isinstance(ids, list) else [])
        return [upload for upload in found if upload is not None]

    @property
    def stored(self) -> list[Upload]:
        """Those whose content has come and is still there, in the order in which they were announced."""
        return list(filter(self._is_there, tuple(self._uploads.values())))

    def clear(self) -> None:
        """List no file any more. The ids hold still: a proxy may be keeping them."""
        self._earlier |= self._uploads
        self._uploads.clear()

    def forget(self) -> None:
        """Forget the ids, too."""
        self._uploads.clear()
        self._earlier.clear()

    def _is_there(self, upload: Upload) -> bool:
        now = self._clock() if self._options.files_expire else 0.0
        return upload.content is not None and now < upload.ends


def _same(fields: dict[str, str | bytes], form: dict[str, str]) -> bool:
    return all(fields.get(name) == value for name, value in form.items())
