"""Anki: a deck with a card for each cell. The picture and the choices on the front, key and note on the back."""

import io
import tempfile
from hashlib import sha256
from html import escape
from pathlib import Path

import genanki

from hematovision.cells import display_name
from hematovision.exchange.bundle import ALT, PROMPT, Item, SetBundle

FIELDS = ("Picture", "Choices", "Key", "Note")

_FRONT = "<p>{{Picture}}</p><p>" + PROMPT + "</p><p class='choices'>{{Choices}}</p>"
_BACK = "{{FrontSide}}<hr id='answer'><p class='key'>{{Key}}</p><p>{{Note}}</p>"
_STYLE = (
    ".card { font-family: sans-serif; font-size: 18px; text-align: center; }"
    " .choices { color: #555; } .nightMode .choices { color: #bbb; } .key { font-weight: bold; }"
    " img { max-width: 100%; }"
)


def write(bundle: SetBundle, seconds: float | None = None) -> bytes:
    """The .apkg file. A set that is exported again updates its cards, and what was learned of them stays.

    `seconds`, since 1970, is when it was made; without it, now. Anki takes a note only where it is the newer one.
    """
    set_id = bundle.quiz_set.id
    model = genanki.Model(
        _number("model"),
        "HematoVision cell",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Name the cell", "qfmt": _FRONT, "afmt": _BACK}],
        css=_STYLE,
    )
    # Two colons would begin a deck in a deck.
    deck = genanki.Deck(_number(f"deck {set_id}"), bundle.quiz_set.title.replace("::", ": :"))
    with tempfile.TemporaryDirectory() as folder:
        media = []
        for item in bundle.items:
            deck.add_note(genanki.Note(model, list(_fields(item)), guid=genanki.guid_for(set_id, item.name)))
            path = Path(folder) / _media_name(item)
            path.write_bytes(item.picture)
            media.append(str(path))
        out = io.BytesIO()
        genanki.Package(deck, media_files=media).write_to_file(out, timestamp=seconds)
    return out.getvalue()


def _media_name(item: Item) -> str:
    return f"hematovision-{item.name}.png"


def _fields(item: Item) -> tuple[str, str, str, str]:
    picture = f'<img src="{_media_name(item)}" alt="{ALT}">'
    choices = escape(" · ".join(map(display_name, item.choices)))
    return picture, choices, escape(display_name(item.key)), escape(item.remark).replace("\n", "<br>")


def _number(text: str) -> int:
    """A number of Anki's own kind, in [2^30, 2^31), always the same for a text."""
    return (1 << 30) + int(sha256(f"hematovision {text}".encode()).hexdigest(), 16) % (1 << 30)
