"""How the logger `custom_handler` writes: one line a record, with the correlation id, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys

from custom_handler import correlation
from custom_handler.settings import LOG_FORMAT, LOG_LEVEL, read


class TextFormatter(logging.Formatter):
    """`time LEVEL logger [correlation id] message`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s [%(correlation_id)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        record.correlation_id = correlation.current()
        return super().format(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `correlation_id`, `message`, and `exception` if any."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`."""
        fields = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "correlation_id": correlation.current(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def configure() -> None:
    """Let the logger write to standard error, as the settings say; a second call replaces what the first one did.

    For programs (the proxy, the check): as a library, the logger leaves all of this to its host.

    Raises:
        SettingError: a setting is malformed.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if read(LOG_FORMAT) == "json" else TextFormatter())
    logger = logging.getLogger("custom_handler")
    logger.handlers[:] = [handler]
    logger.setLevel(read(LOG_LEVEL).upper())
    logger.propagate = False
