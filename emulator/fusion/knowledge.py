"""Fusion's knowledge: documents of an account, found by the words that they share with a question."""

from dataclasses import dataclass
from datetime import datetime

from emulator.fusion.times import Calendar
from emulator.identity import Account
from emulator.ids import new_uuid
from emulator.steps import Json
from emulator.words import stems


@dataclass(frozen=True, slots=True)
class Document:
    """One document. file_id: of the file that it was made of."""

    id: str
    account: Account
    name: str
    content: str
    file_id: str | None
    calendar: Calendar
    created: datetime

    def told(self) -> Json:
        """The document as Fusion tells it (inferred)."""
        created = self.calendar.told(self.created)
        return {
            "id": self.id,
            "name": self.name,
            "content": self.content,
            "file_id": self.file_id,
            "created_at": created,
        }

    def score(self, query: str) -> float:
        """Which part of the words of `query` it has, from 0 to 1."""
        wanted = stems(query)
        return len(wanted & stems(f"{self.name} {self.content}")) / max(1, len(wanted))


class Knowledge:
    """All documents by id."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._documents: dict[str, Document] = {}

    def add(self, account: Account, name: str, content: str, file_id: str | None) -> Document:
        """A new document."""
        one = Document(new_uuid(), account, name, content, file_id, self._calendar, self._calendar.now())
        self._documents[one.id] = one
        return one

    def of(self, account: Account) -> list[Document]:
        """The documents of `account`, oldest first."""
        return [one for one in self._documents.values() if one.account == account]

    def remove(self, account: Account, document_id: str) -> bool:
        """Forget a document; False when `account` has none of this id."""
        found = any(one.id == document_id for one in self.of(account))
        if found:
            del self._documents[document_id]
        return found

    def clear(self) -> None:
        """Forget every document."""
        self._documents.clear()
