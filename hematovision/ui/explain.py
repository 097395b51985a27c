"""The model's reasons in words, with the numbers behind them on demand."""

from html import escape

import streamlit as st

from hematovision.cells import display_name
from hematovision.content.phrases import Phrases, percent, plural, sentence_case, unbroken
from hematovision.services import Services
from hematovision.vision import explain
from hematovision.vision.classifier import Prediction
from hematovision.vision.explain import Clause, Explanation, Knowledge


def show_reasons(services: Services, prediction: Prediction, other: str | None = None) -> None:
    """Why the model's answer, and why not `other`: the runner-up where that is None or the answer itself.

    Raises DataError, InputError.
    """
    found = services.reasons.why(prediction, other)
    st.html(f"<p>{escape(unbroken(found.text))}</p>")
    with st.expander("Numbers behind these words"):
        rows = "".join(
            f"<dt>{escape(what)}</dt><dd>{escape(number)}</dd>"
            for what, number in numbers(found, services.reasons.knowledge.phrases)
        )
        st.html(f'<dl class="hv-facts hv-sides">{rows}</dl>')
        st.caption(" ".join(notes(found, services.reasons.knowledge)))


def numbers(found: Explanation, phrases: Phrases) -> list[tuple[str, str]]:
    """What each number is, and the number, in the order of the words; one that stands behind two is said once."""
    return list(dict.fromkeys(_number(clause, phrases) for clause in found.clauses))


def _number(clause: Clause, phrases: Phrases) -> tuple[str, str]:
    value, number = clause.value, clause.number
    phrase = phrases.get((clause.head, value))
    match clause.kind:
        case explain.SEEN if phrase:
            return sentence_case(phrase.words), percent(number)
        case explain.SHOWS if phrase:
            return f"{sentence_case(phrase.words)}, in {plural(clause.other)}", percent(number)
        case explain.CHANGE if phrase:
            return f"{display_name(clause.other)}, if {phrase.if_words}", f"ahead by {number:.1f}"
        case explain.CHANGE:
            return "Single features that would change it", "0"
        case explain.SPEAKS:
            return f"Each, in {plural(value)} against {plural(clause.other)}", f"at least {_times(number)} as often"
        case explain.UNWEIGHED:
            return f"The best, in {plural(value)} against {plural(clause.other)}", f"{_times(number)} as often"
        case explain.SHARED:
            return f"Each, in {plural(value)}", f"at least {percent(number)}"
        case explain.UNCLEAR:
            return "Features that are clear enough", "0"
        case explain.UNMEASURED:
            return f"Annotated {plural(value)}", "0"
        case explain.CONCEPT:
            return f"{display_name(value)}, by the features alone", percent(number)
        case explain.REFUSED:
            return "Below the threshold by", f"{-number:.2g}"
        case _:
            return display_name(value), percent(number)


def _times(ratio: float) -> str:
    return "over 1,000 times" if ratio > 1000 else f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


def notes(found: Explanation, knowledge: Knowledge) -> list[str]:
    """What the numbers are, of those that were given, and which features annotators and atlases differ on."""
    kinds = {clause.kind for clause in found.clauses}
    said = []
    if explain.CLASS in kinds:
        said.append("The probabilities of classes are calibrated.")
    if explain.SEEN in kinds:
        said.append(
            "Those of features are not. The model reads features beside the class; they are not steps toward it."
        )
    if kinds & {explain.SPEAKS, explain.SHOWS, explain.SHARED, explain.UNWEIGHED}:
        total = sum(knowledge.content.measured.n.values())
        said.append(f"How often a class shows a feature was counted in {total:,} annotated cells (WBCAtt).")
    for head in dict.fromkeys(clause.head for clause in found.clauses):
        text = knowledge.content.attributes.get(head)
        if text and text.doubt and {found.answer, found.other} & set(text.doubt.classes):
            said.append(f"{display_name(head)}: {text.doubt.words}")
    if explain.CONCEPT in kinds:
        known = knowledge.concepts
        low, high = known.interval
        said.append(
            f"The features alone: a linear model of {len(known.biases)} classes, fitted to the annotations of "
            f"{known.fitted:,} cells. By the annotations of {known.tested:,} others it is right in "
            f"{known.right:,} (95 % interval of the share: {100 * low:.1f} to {100 * high:.1f} %)."
        )
    return said
