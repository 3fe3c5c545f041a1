"""What an entry of config.yaml says of its model, by type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from custom_handler.errors import SettingError


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The `model_info` of an entry. A client cannot change it.

    All that it is asked for is optional, and None (or false, or nothing) where it is not there. What is not of the type
    that is asked for raises `SettingError`.

    Attributes:
        model: the name behind the provider's prefix.
    """

    model: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    def text(self, key: str) -> str | None:
        """A text, not empty."""
        value = self.fields.get(key)
        if value is not None and not (isinstance(value, str) and value):
            raise SettingError(f"model_info.{key} of model {self.model!r:.80} in config.yaml must be a text.")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.fields.get(key)
        if values is None:
            return ()
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise SettingError(f"model_info.{key} of model {self.model!r:.80} in config.yaml must be a list of texts.")
        return tuple(values)

    def number(self, key: str) -> int | None:
        """A number from 1 on."""
        value = self.fields.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise SettingError(
                f"model_info.{key} of model {self.model!r:.80} in config.yaml must be a whole number above 0."
            )
        return value

    def flag(self, key: str) -> bool:
        """Yes or no."""
        value = self.fields.get(key)
        if value is not None and not isinstance(value, bool):
            raise SettingError(f"model_info.{key} of model {self.model!r:.80} in config.yaml must be true or false.")
        return bool(value)


NOTHING = ModelInfo("")
