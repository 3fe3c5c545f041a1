"""What a guide of docs/clients says: the files to write, the commands to type, and what is then seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_FILE = re.compile(r"^`([^`\n]+)`[^\n]*:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TRANSCRIPT = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROXY = "http://127.0.0.1:4000"
_PROMPTS = ("$ ", "> ")


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide, for a proxy at a certain address.

    Attributes:
        files: path → content; a path below `~/` is one of the home folder, any other one of the working folder.
        script: the commands of the transcript, for bash.
        seen: the lines of the transcript that are no commands. `…` stands for anything within a line.
    """

    files: dict[str, str]
    script: str
    seen: Sequence[str]

    @classmethod
    def read(cls, path: Path, proxy_url: str) -> Self:
        """Read it, with `proxy_url` in place of the address that guides use."""
        text = path.read_text("utf-8").replace(_PROXY, proxy_url.rstrip("/"))
        transcript = _TRANSCRIPT.search(text)
        assert transcript, f"{path.name} has no transcript"
        lines = transcript[1].splitlines()
        commands = [line[2:] for line in lines if line.startswith(_PROMPTS)]
        seen = [line for line in lines if not line.startswith(_PROMPTS)]
        return cls(dict(_FILE.findall(text)), "\n".join(["set -eu", *commands]), seen)

    def write(self, home: Path, folder: Path) -> None:
        """Write the files."""
        for name, content in self.files.items():
            path = home / name.removeprefix("~/") if name.startswith("~/") else folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")

    def check(self, output: str) -> None:
        """Check that `output` has the lines of the transcript in their order; others may stand between them."""
        rest = [line.rstrip() for line in _ANSI.sub("", output).splitlines()]
        for line in self.seen:
            pattern = ".*".join(map(re.escape, line.split("…")))
            found = next((index for index, told in enumerate(rest) if re.fullmatch(pattern, told)), None)
            assert found is not None, f"{line!r} is not, or not in this place, in the output:\n{output}"
            rest = rest[found + 1 :]
