"""Reading the one text that a proxy sends."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.prompt_reading import Prompt, Tool, Turn, read_prompt

PROMPT = """\
Be brief.

<tools>
To call one, write exactly this block:
FUNCTION_CALL_START
{"not": "a tool"}
{broken
{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object"}}
{"name":"ping"}
{"name":7}
send_mail( // Sends a mail.
 Only once.
to string // Address.
)
now()
now() tells the time
- This answer must call ping.
</tools>

<conversation>
<system>
Speak Portuguese.
</system>
<user>
Hi
<tools> is a word here
</user>
<assistant>
I'll check.
FUNCTION_CALL_START
get_weather
arguments: {"city": "Recife"}
FUNCTION_CALL_END
FUNCTION_CALL_START
function_name: ping
arguments: {}
FUNCTION_CALL_END
</assistant>
<tool_result name="get_weather" call="1">
{"temp": 31}
</tool_result>
a line that belongs to nobody
<user>
</conversation>
Thanks
</user>
</conversation>

Write the next message.
"""


def test_every_part_of_a_prompt_is_found() -> None:
    prompt = read_prompt(PROMPT)
    assert prompt.text == PROMPT
    assert prompt.system.split("\n")[0] == "Be brief."
    assert prompt.system.split("\n")[-1] == "Write the next message."
    address = {
        "type": "object",
        "properties": {"to": {"type": "string", "description": "Address."}},
        "required": ["to"],
    }
    assert prompt.tools == (
        Tool("get_weather", "Weather of a city", {"type": "object"}),
        Tool("ping", "", {}),
        Tool("send_mail", "Sends a mail.\nOnly once.", address),
        Tool("now", "", {"type": "object", "properties": {}}),
    )
    assert "must call ping" in prompt.rules
    assert "now() tells the time" in prompt.rules
    assert "get_weather" not in prompt.rules
    assert "Address" not in prompt.rules
    assert [turn.role for turn in prompt.turns] == ["system", "user", "assistant", "tool_result", "user"]
    assert prompt.turns[1].text == "Hi\n<tools> is a word here"
    assert prompt.turns[3] == Turn("tool_result", '{"temp": 31}', "get_weather")
    assert prompt.turns[4].text == "</conversation>\nThanks"


def test_the_calls_of_a_turn_are_counted_in_both_forms() -> None:
    assert read_prompt(PROMPT).turns[2].called == ["get_weather", "ping"]
    assert Turn("user", "FUNCTION_CALL_START\nf").called == []


def test_a_text_without_a_conversation_is_one_turn_of_the_user() -> None:
    assert read_prompt("  Hello <user>\nyou ").turns == (Turn("user", "Hello <user>\nyou"),)


def test_tools_without_a_conversation_leave_the_rest_to_the_user() -> None:
    prompt = read_prompt('<tools>\n{"name":"f"}\n</tools>\nHello')
    assert (prompt.tools, prompt.turns) == ((Tool("f", "", {}),), (Turn("user", "Hello"),))


def test_a_turn_that_is_not_closed_lasts_to_the_end() -> None:
    assert read_prompt("<conversation>\n<user>\nHi\n</conversation>").turns == (Turn("user", "Hi"),)


def test_blocks_that_are_closed_before_they_open_are_text() -> None:
    text = "</conversation>\n<conversation>"
    assert read_prompt(text).turns == (Turn("user", text),)


def test_a_continued_prompt_keeps_what_the_later_one_does_not_say_again() -> None:
    later = read_prompt("And now?").with_files(["b.txt"]).after(read_prompt(PROMPT).with_files(["a.txt"]))
    assert [turn.text for turn in later.turns[-2:]] == ["</conversation>\nThanks", "And now?"]
    assert [tool.name for tool in later.tools] == ["get_weather", "ping", "send_mail", "now"]
    assert later.files == ("a.txt", "b.txt")
    assert read_prompt("x").after(None) == read_prompt("x")


def test_an_answer_becomes_a_turn() -> None:
    assert read_prompt("x").answered("y").turns == (Turn("user", "x"), Turn("assistant", "y"))


LINES = st.sampled_from([*set(PROMPT.split("\n")), "<assistant>", "[" * 5000])


@given(st.lists(LINES | st.text(max_size=10), max_size=20).map("\n".join))
def test_no_text_is_too_odd_to_be_read(text: str) -> None:
    prompt = read_prompt(text)
    assert isinstance(prompt, Prompt)
    assert prompt.turns
