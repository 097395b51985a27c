"""GIFT, Moodle's text format: one multiple-choice question for each cell.

Moodle's import takes a GIFT file alone: files beside it, by `@@PLUGINFILE@@`, need the plugin "GIFT with medias". So
the picture is inside, as a data URL. `=` marks the key, `####` begins the general feedback with the note: both stay on
the server until the quiz's review options show them. Where there is a choice, Moodle XML is the better one.
"""

from base64 import b64encode
from html import escape

from hematovision.cells import display_name
from hematovision.exchange.bundle import ALT, PROMPT, SECOND, Item, SetBundle

_CONTROL = "\\~=#{}:"
"""Letters that mean something in GIFT, the one first that takes the meaning from the others."""


def write(bundle: SetBundle) -> bytes:
    """The text file, in UTF-8."""
    # A category is no GIFT text: Moodle would keep the backslashes.
    title = bundle.quiz_set.title.replace("/", "//").replace("\\", " ")
    parts = [f"$CATEGORY: $course$/top/{title}", *map(_question, bundle.items)]
    return ("\n\n".join(parts) + "\n").encode()


def _question(item: Item) -> str:
    source = f"data:image/png;base64,{b64encode(item.picture).decode()}"
    asked = f'<p>{PROMPT}</p><p><img src="{source}" alt="{ALT}"></p>'
    lines = [f"::Cell {item.number}::[html]{_plain(asked)}{{"]
    for choice in item.choices:
        mark = "=" if choice == item.key else "~"
        feedback = f"#{SECOND}" if choice == item.second_key else ""
        lines.append(f"\t{mark}{display_name(choice)}{feedback}")
    if item.note:
        # An empty line would end the question; a note that begins with a bracket would name a format.
        lines.append(f"\t####[html]{_plain(escape(item.note, quote=False))}".replace("\n", "<br>"))
    return "\n".join([*lines, "}"])


def _plain(text: str) -> str:
    # A table of letters would take a second for a set of twenty cells.
    for letter in _CONTROL:
        text = text.replace(letter, f"\\{letter}")
    return text
