"""A printable sheet: the cells by number, two in a row, with boxes to tick; with a key page at the end, or without one.

The letters are those of Bitstream Vera, which reportlab brings: Latin ones. Others print as empty boxes.
"""

import io
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import reportlab
from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from hematovision.cells import display_name
from hematovision.exchange.bundle import PROMPT, Item, SetBundle

_FONT, _BOLD = "Vera", "VeraBd"
_WIDTH, _HEIGHT = A4
_MARGIN = 16 * mm
_TEXT_WIDTH = _WIDTH - 2 * _MARGIN
_PICTURE = 46 * mm
"""Side of the square that a picture is fitted into."""
_ROW = 56 * mm
_COLUMN = _TEXT_WIDTH / 2
_LINE = 4.8 * mm


def write(bundle: SetBundle) -> bytes:
    """The sheet without any key."""
    return _sheet(bundle, with_key=False)


def write_with_key(bundle: SetBundle) -> bytes:
    """The same sheet, and the keys with their notes on pages of their own after it."""
    return _sheet(bundle, with_key=True)


def _sheet(bundle: SetBundle, with_key: bool) -> bytes:
    folder = Path(reportlab.__file__).parent / "fonts"
    for name in (_FONT, _BOLD):
        pdfmetrics.registerFont(TTFont(name, folder / f"{name}.ttf"))
    # Pictures as they are: as text, which old mail needed, a sheet of 24 cells would take 8 seconds.
    rl_config.useA85 = 0
    out = io.BytesIO()
    # Invariant: without the time it was made.
    canvas = Canvas(out, pagesize=A4, invariant=True)
    canvas.setTitle(bundle.quiz_set.title)
    canvas.setAuthor("")
    canvas.setCreator("HematoVision")
    page = _Pages(canvas, bundle.quiz_set.title)
    page.begin("Name:")
    column = 0
    for item in bundle.items:
        if column == 0 and page.y - _ROW < _MARGIN:
            page.turn("Name:")
        _draw(canvas, item, _MARGIN + column * _COLUMN, page.y)
        column = 1 - column
        if column == 0:
            page.y -= _ROW
    if with_key:
        page.turn("Key")
        for item in bundle.items:
            page.paragraph(f"{item.number}  {display_name(item.key)}", item.remark)
    page.end()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, item: Item, x: float, top: float) -> None:
    """A cell with its number and choices; `top` is where its row begins."""
    picture = ImageReader(io.BytesIO(item.picture))
    width, height = picture.getSize()
    scale = _PICTURE / max(width, height)
    canvas.setFont(_BOLD, 10)
    canvas.drawString(x, top - 4 * mm, str(item.number))
    canvas.drawImage(picture, x, top - 6 * mm - height * scale, width * scale, height * scale, preserveAspectRatio=True)
    canvas.setFont(_FONT, 7.5)
    left = x + _PICTURE + 3 * mm
    for place, choice in enumerate(item.choices):
        y = top - 9 * mm - place * _LINE
        canvas.rect(left, y - 0.4 * mm, 2.8 * mm, 2.8 * mm)
        canvas.drawString(left + 4.2 * mm, y, display_name(choice))


def _wrapped(text: str, font: str, size: int) -> Iterator[str]:
    """Lines as wide as the page; a word that is wider is cut."""
    for line in simpleSplit(text, font, size, _TEXT_WIDTH):
        rest = line
        while pdfmetrics.stringWidth(rest, font, size) > _TEXT_WIDTH:
            widths = range(len(rest))
            fits = bisect_right(widths, _TEXT_WIDTH, key=lambda n: pdfmetrics.stringWidth(rest[:n], font, size)) - 1
            yield rest[:fits]
            rest = rest[fits:]
        yield rest


class _Pages:
    """The page that is drawn on; `y` is how far down it is full."""

    def __init__(self, canvas: Canvas, title: str):
        self._canvas, self._title = canvas, title
        self._number = 0
        self.y = 0.0

    def begin(self, heading: str) -> None:
        self._number += 1
        self.y = _HEIGHT - _MARGIN
        for line in _wrapped(self._title, _BOLD, 12):
            self._canvas.setFont(_BOLD, 12)
            self._canvas.drawString(_MARGIN, self.y - 4 * mm, line)
            self.y -= 6 * mm
        self._canvas.setFont(_FONT, 9)
        self._canvas.drawString(_MARGIN, self.y - 4 * mm, f"{PROMPT}  {heading}" if heading == "Name:" else heading)
        self._canvas.drawRightString(_WIDTH - _MARGIN, _MARGIN / 2, str(self._number))
        self.y -= 9 * mm

    def turn(self, heading: str) -> None:
        self._canvas.showPage()
        self.begin(heading)

    def end(self) -> None:
        self._canvas.showPage()

    def paragraph(self, head: str, text: str) -> None:
        """A line in bold and plain ones under it, on as many pages as they need."""
        lines = [(_BOLD, head)]
        lines += [(_FONT, part) for line in text.splitlines() for part in _wrapped(line, _FONT, 9)]
        for font, line in lines:
            if self.y - _LINE < _MARGIN:
                self.turn("Key")
            self._canvas.setFont(font, 9)
            self._canvas.drawString(_MARGIN, self.y - _LINE, line)
            self.y -= _LINE
        self.y -= 1.5 * mm
