"""docs/files.md: its figures are those of the code, and its examples are understood."""

from __future__ import annotations

import json

import yaml
from litellm.types.llms.openai import ChatCompletionAnnotation

from custom_handler import attachments, file_types, gate, remote_files, settings
from custom_handler.chunks import Chunker
from custom_handler.events import Source, Sources
from custom_handler.ids import CallIds
from custom_handler.model_info import ModelInfo
from custom_handler.upstream import stackspot_files, uploads
from custom_handler.upstream.base import Query
from custom_handler.upstream.chat_request import AgentOptions, body
from tests.documents.markdown import Document, quoted
from tests.support.program import ROOT

DOCUMENT = Document.read(ROOT / "docs" / "files.md")


def words(section: str) -> str:
    """The text of a section on one line."""
    return " ".join(DOCUMENT.section(section).text.split())


def test_the_table_of_limits_is_that_of_the_code() -> None:
    limits = {row[0]: int(row[1].split()[0].replace(",", "")) for row in DOCUMENT.section("What can be sent").tables[1]}
    assert limits == {
        "a file": attachments.MAX_FILE,
        "all files of a request": attachments.MAX_TOTAL,
        "files in a request": attachments.MAX_FILES,
        "the body of a request": gate.MAX_BODY,
    }


def test_the_accepted_types_are_those_that_errors_list() -> None:
    assert f"Accepted are {file_types.ACCEPTED}." in words("What can be sent")


def test_the_life_of_an_id_is_told() -> None:
    text = words("What becomes of a file")
    assert f"asked to keep a file for {stackspot_files._EXPIRATION}," in text
    assert f"again for {stackspot_files.StackspotFiles.ALIVE:g} seconds" in text
    assert uploads._AT_ONCE == 4
    assert "At most four uploads" in text


def test_the_rules_for_addresses_are_those_of_the_code() -> None:
    text = words("Files by their address")
    assert f"At most {remote_files._REDIRECTS} redirects" in text
    assert f"At most {attachments.MAX_FILE:,} bytes" in text
    assert f"{remote_files._PATIENCE:g} seconds" in text
    assert f"port is {remote_files._HTTPS} unless" in text


def test_the_example_of_the_setting_can_be_read() -> None:
    name, _, value = DOCUMENT.section("Files by their address").code[0].strip().partition("=")
    assert name == settings.FILE_HOSTS.name
    assert settings.FILE_HOSTS.parse(value) == {"images.example.com", "cdn.example.com:8443"}


def test_the_example_of_an_agent_is_understood_and_sent_as_the_table_says() -> None:
    section = DOCUMENT.section("Knowledge sources")
    (entry,) = yaml.safe_load(section.code[0])["model_list"]
    options = AgentOptions.of(ModelInfo("librarian", entry["model_info"]))
    assert options == AgentOptions(("01JQ7M3X5V8Y2Z4A6B8C0D1E2F",), True, 3, "gpt-5")
    told = {name for row in section.tables[0] for name in quoted(row[1])}
    assert told == body(Query("hi"), (), options).keys() - body(Query("hi"), (), AgentOptions()).keys()
    assert {name for row in section.tables[0] for name in quoted(row[0])} == entry["model_info"].keys() - {"agent_id"}


def test_the_example_of_an_annotation_is_what_clients_get() -> None:
    shown: ChatCompletionAnnotation = json.loads(DOCUMENT.section("Sources as annotations").code[0])
    source = Source("Manual", "https://wiki.example.com/manual")
    chunk = Chunker("m", CallIds("c", [])).chunk(Sources((source,)))
    assert chunk.choices[0].delta.annotations == [shown]
