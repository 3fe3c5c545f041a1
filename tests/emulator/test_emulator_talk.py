"""Plain answers: language, memory of earlier turns, sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.sums import solve
from emulator.talk import Said, talk
from emulator.words import is_portuguese, stems


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("Hello!", "Hello! How can I help you?"),
        ("Oi, tudo bem?", "Olá! Como posso ajudar?"),
        ("Bom dia", "Olá! Como posso ajudar?"),
        ("Hi, my name is Ana", "Hello, Ana! How can I help you?"),
        ("Olá, meu nome é Zé e moro em Recife", "Olá, Zé! Como posso ajudar?"),
        ("thank you", "You are welcome."),
        ("Obrigada!", "De nada."),
        ("2+2", "2+2 = 4"),
        ("Quanto é 3,5 x 2?", "3,5 x 2 = 7"),
        ("Say pong", "pong"),
        ("Reply with exactly: pong", "pong"),
        ("Responda apenas: olá", "olá"),
        ("Count from 1 to 5", "1, 2, 3, 4, 5"),
        ("Conte até 3", "1, 2, 3"),
        ("What did I say?", "This is your first message."),
        ("O que eu disse?", "Esta é a sua primeira mensagem."),
        ("What is my name?", "You have not told me yet."),
        ("Qual é o meu nome?", "Você ainda não me disse."),
    ],
)
def test_simple_things_are_answered_in_the_language_of_the_user(message: str, answer: str) -> None:
    assert talk(Said(message)) == answer


@pytest.mark.parametrize(("message", "word"), [("Who are you?", "emulator"), ("Quem é você?", "emulador")])
def test_the_agent_says_what_it_is(message: str, word: str) -> None:
    assert word in talk(Said(message))


@pytest.mark.parametrize(
    ("earlier", "question", "answer"),
    [
        ("my name is Ana", "what is my name?", "You told me: Ana."),
        ("Olá! Meu nome é João Silva, e você?", "qual é o meu nome?", "Você me disse: João Silva."),
        ("Me chamo Ana.", "Como eu me chamo?", "Você me disse: Ana."),
        ("call me Bob", "do you remember my name?", "You told me: Bob."),
        ("My color is blue.", "what's my color?", "You told me: blue."),
        ("minha cidade é Olinda", "Você lembra da minha cidade?", "Você me disse: Olinda."),
        ("The sky is grey.", "What did I say?", "You said: The sky is grey."),
    ],
)
def test_earlier_turns_are_remembered(earlier: str, question: str, answer: str) -> None:
    assert talk(Said(question, [earlier, "and something else"][: 1 + ("say" not in question)])) == answer


def test_the_latest_statement_holds() -> None:
    assert talk(Said("what is my name?", ["my name is Ana", "my name is Eva"])) == "You told me: Eva."


def test_anything_else_is_repeated_and_cut_where_it_is_long() -> None:
    assert '"Why is the sky blue?"' in talk(Said("Why is the sky blue?"))
    assert len(talk(Said("word " * 10_000))) < 500


def test_files_are_acknowledged_by_name() -> None:
    assert talk(Said("What is this?", files=["a.txt", "b.png"])) == "I have received a.txt, b.png."


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("what is 2 + 3 * 4?", "2 + 3 * 4 = 14"),
        ("(1+2)*3", "(1+2)*3 = 9"),
        ("10 / 4", "10 / 4 = 2.5"),
        ("7 - 10", "7 - 10 = -3"),
        ("(-2)+1", "(-2)+1 = -1"),
        ("6 \u00f7 3 \u00d7 2", "6 \u00f7 3 \u00d7 2 = 4"),
        ("1/0", ""),
        ("2**9**9**9", ""),
        ("1+(2", ""),
        ("12", ""),
        ("1//2", ""),
        ("+".join(["1"] * 99), ""),
        ("from 2024-01-02 to 2024-01-03", ""),
        ("0.1+0.2", "0.1+0.2 = 0.3"),
    ],
)
def test_sums_are_solved_or_left_alone(text: str, result: str) -> None:
    assert solve(text) == result


@given(st.text("0123456789+-*/x(). ,", max_size=80))
def test_no_sum_is_too_odd(text: str) -> None:
    assert isinstance(solve(text), str)


@pytest.mark.parametrize(
    ("text", "portuguese"),
    [("Olá, tudo bem?", True), ("Como vai você?", True), ("How are you?", False), ("xyz", False), ("", False)],
)
def test_the_language_is_guessed(text: str, portuguese: bool) -> None:
    assert is_portuguese(text) is portuguese


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("reading files", "read_file"),
        ("Leia o arquivo", "readFile"),
        ("creates boxes", "create box"),
        ("running", "run"),
        ("arquivos", "files"),
        ("previsão do tempo", "weather forecast"),
    ],
)
def test_words_are_comparable_across_endings_and_languages(one: str, other: str) -> None:
    assert stems(one) == stems(other) != frozenset()
