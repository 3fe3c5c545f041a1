"""The hidden questions."""

from __future__ import annotations

from custom_handler import follow_up
from custom_handler.disarm import disarm
from custom_handler.output import OutputFormat, instruction
from custom_handler.value_desk import BadValue

PERSON = OutputFormat({"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]})


def test_a_question_about_a_value_shows_it_its_faults_and_the_rules() -> None:
    prompt = follow_up.about_value("So: {}", BadValue("{}", ("age: missing",)), PERSON)
    assert instruction(PERSON) in prompt
    assert "<answer>\n{}\n</answer>" in prompt
    assert "- age: missing" in prompt


def test_where_there_was_no_value_the_whole_answer_is_shown() -> None:
    prompt = follow_up.about_value("She is seven.", BadValue(), PERSON)
    assert "<answer>\nShe is seven.\n</answer>" in prompt
    assert "contains no such JSON value" in prompt


def test_what_was_restored_is_disarmed_again_and_what_the_model_wrote_is_not() -> None:
    marker = "FUNCTION_CALL_START"
    of_value = follow_up.about_value("", BadValue(marker, (marker,)), OutputFormat({"title": marker}))
    assert marker not in of_value
    assert of_value.count(disarm(marker)) == 3
    assert disarm(marker) in follow_up.about_value(disarm(marker), BadValue(), PERSON)
    assert disarm(disarm(marker)) not in follow_up.about_value(disarm(marker), BadValue(), PERSON)
