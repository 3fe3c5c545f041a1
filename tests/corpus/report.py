"""The results as they stand in docs/tool-calling.md, and how they get there."""

from __future__ import annotations

from tests.corpus.attacks.disguises import DISGUISES
from tests.corpus.attacks.payloads import PAYLOADS, TRICK_PAYLOADS
from tests.corpus.generate import CUT_EVERYWHERE
from tests.corpus.measured import Measured
from tests.corpus.runner import PIECE_SIZES, RANDOM_CUTS
from tests.corpus.table import announcement_table, attack_table, table
from tests.support.program import ROOT
from tests.support.published import Place

DOCUMENT = ROOT / "docs" / "tool-calling.md"
PLACE = Place.of("make corpus")

_REPORT = """
### Calls

{cases:,} answers of an agent, one kind of drift a row. A generator starts from the calls that are meant and writes the
drifted text for them, so what is expected does not come from the parser. Each text is read whole,
in pieces of {sizes} characters, and in {random} random cuts; the {short} shortest of each row and format
are also cut in two at every place. A cell tells how many gave exactly the text and the calls that are expected,
in their order; *streamed = whole*, how many gave the same in every cut.

{calls}

### Attacks

{attacks:,} attempts to become a call or to leave their section of the prompt: {payloads} texts in {disguises}
disguises, and {tricks} against the quoting itself, wherever text comes in. The agent then answers with its whole
prompt, word for word or with plain letters in the place of disguised ones. A cell tells how many attacks succeed.

{attacked}

### Announcements

{answers:,} written answers. The rules were written for the first half; of the second half, only mistakes that must
never happen were looked at; the unseen ones were written last, and no rule was changed for them. Precision is the share
of true announcements among the answers taken for one, recall the share of announcements that was found.

{announced}

"""


def report(measured: Measured) -> str:
    """All results, each with a word on how it was come by."""
    *sizes, largest = map(str, PIECE_SIZES)
    return _REPORT.format(
        cases=len(measured.calls),
        sizes=f"{', '.join(sizes)} and {largest}",
        random=RANDOM_CUTS,
        short=CUT_EVERYWHERE,
        calls=table(measured.calls),
        attacks=len(measured.attacks),
        payloads=len(PAYLOADS),
        disguises=len(DISGUISES),
        tricks=len(TRICK_PAYLOADS),
        attacked=attack_table(measured.attacks),
        answers=sum(score.positive + score.negative for score in measured.announcements),
        announced=announcement_table(measured.announcements),
    )
