"""The corpora of answers that announce an action and of answers that do not, and how well they are told apart.

A corpus is a file a language and side, with `[agent category]` above answers of one line each, `\\n` for line breaks.
Each is parted in two by a hash of the text: the rules were written for the first half and measured on the second, whose
mistakes were looked at too where an answer was taken for an announcement that must never be. So there is a third part,
in `unseen`: written last, and no rule was changed for its sake.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from custom_handler.announcement import announces_action
from custom_handler.request import Tool

CORPORA = Path(__file__).parents[1] / "corpus" / "announcements"
HEADING = re.compile(r"\[(\w+) ?(\w*)\]")
LANGUAGES = ("pt", "en")
FIRST, SECOND, UNSEEN = PARTS = ("first half", "second half", "unseen")


def tools(**descriptions: str) -> tuple[Tool, ...]:
    return tuple(Tool(name, description, {}) for name, description in descriptions.items())


#: What the agent of each part of a corpus can do; destructive tools are among them, so that these cases are hard.
AGENTS = {
    "coding": tools(
        read_file="Read a file from the workspace.",
        write_file="Write content to a file, creating it when needed.",
        edit_file="Replace text in a file.",
        list_directory="List files and folders.",
        search_code="Search the code with a regular expression.",
        run_command="Run a shell command and return its output.",
        fetch_url="Fetch a page.",
        delete_file="Delete a file.",
        git_push="Push commits to the remote.",
        deploy="Deploy a version to an environment.",
    ),
    "bank": tools(
        get_balance="Get the balance of an account.",
        list_transactions="List the transactions of a period.",
        get_customer="Look up a customer by tax ID.",
        get_contract="Get a contract.",
        simulate_loan="Simulate a loan and its installments.",
        create_ticket="Create a ticket for another team.",
        generate_statement="Generate the statement of an account.",
        transfer_funds="Transfer money to another account.",
        pay_bill="Pay a bill.",
        block_card="Block a card.",
        send_email="Send an email to the customer.",
    ),
    "data": tools(
        run_query="Run a SQL query.",
        list_tables="List the tables of a schema.",
        describe_table="Describe the columns of a table.",
        search_catalog="Search the data catalog.",
        create_chart="Create a chart from rows.",
        export_csv="Export rows to CSV.",
        drop_table="Drop a table.",
    ),
    "support": tools(
        buscar_artigos="Busca artigos na base de conhecimento.",
        consultar_pedido="Consulta um pedido pelo número.",
        listar_chamados="Lista os chamados de um usuário.",
        abrir_chamado="Abre um chamado.",
        atualizar_chamado="Atualiza um chamado: situação, prioridade, comentário.",
        cancelar_pedido="Cancela um pedido.",
        enviar_email="Envia um e-mail.",
        reembolsar="Reembolsa um pedido.",
    ),
    "weather": tools(get_weather="Get the current weather of a city."),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a corpus; which half it is in is told by the text alone, so that a case never changes sides."""

    text: str
    agent: str
    category: str
    part: str

    @property
    def announces(self) -> bool:
        return announces_action(self.text, AGENTS[self.agent])


def read(corpus: str) -> tuple[Case, ...]:
    return (*_cases(CORPORA / f"{corpus}.txt"), *_cases(CORPORA / UNSEEN / f"{corpus}.txt", UNSEEN))


def _cases(file: Path, part: str = "") -> Iterator[Case]:
    agent, category = "", ""
    for line in file.read_text("utf-8").splitlines():
        if heading := HEADING.fullmatch(line):
            agent, category = heading.groups()
        else:
            text = line.replace("\\n", "\n")
            yield Case(text, agent, category, part or (FIRST, SECOND)[zlib.crc32(text.encode()) % 2])


POSITIVE = {language: read(f"positive_{language}") for language in LANGUAGES}
NEGATIVE = {language: read(f"negative_{language}") for language in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Score:
    """How well the announcements among some answers are found.

    Attributes:
        positive, negative: answers that announce an action, and answers that do not.
        found, mistaken: how many of each were taken for announcements.
    """

    language: str
    part: str
    positive: int
    negative: int
    found: int
    mistaken: int

    @property
    def precision(self) -> float:
        """Of what was taken for announcements, the share that is."""
        return self.found / (self.found + self.mistaken)

    @property
    def recall(self) -> float:
        """Of the announcements, the share that was found."""
        return self.found / self.positive


def score(language: str, part: str) -> Score:
    found = [case.announces for case in POSITIVE[language] if case.part == part]
    mistaken = [case.announces for case in NEGATIVE[language] if case.part == part]
    return Score(language, part, len(found), len(mistaken), sum(found), sum(mistaken))
