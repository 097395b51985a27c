"""A publication: one frozen version of a set, and the code by which students join it. Pure."""

import random
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from hematovision.errors import InputError

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Of a join code: none that is taken for another one (0 and O, 1 and I)."""
LENGTH = 6
"""A code is one of a thousand million: with a hundred sets open, a guess hits one in ten million times."""


@dataclass(frozen=True)
class Publication:
    """A published version of a set. It holds no key, so a student may have it; the set's hash could tell one by trial.

    `owner` is the learner who published it. `closed_at` is None until an instructor closed it by hand; the policy of
    the set has times of its own.
    """

    code: str
    set_id: str
    title: str
    version: int
    owner: str
    published_at: datetime
    closed_at: datetime | None = None

    @property
    def code_in_words(self) -> str:
        """`K7M 4QX`, to be read out."""
        return f"{self.code[: LENGTH // 2]} {self.code[LENGTH // 2 :]}"


def draw_code(rng: random.Random) -> str:
    """A join code by chance. `rng` should be one that cannot be foreseen."""
    return "".join(rng.choice(LETTERS) for _ in range(LENGTH))


def parse_code(text: str) -> str:
    """The join code that someone typed: case, spaces and hyphens do not matter. Raises InputError."""
    code = re.sub(r"[\s\-–]", "", text).upper()
    if len(code) != LENGTH or set(code) - set(LETTERS):
        raise unknown_code()
    return code


def picture_id_of(file: str) -> str:
    """The id of a picture of a draft or a published set, by its file in the set's folder (`SetCell.picture`)."""
    return PurePosixPath(file).stem


def file_of(picture_id: str) -> str:
    """The file of such a picture; the other way round."""
    return f"pictures/{picture_id}.png"


def unknown_code() -> InputError:
    """The same for a code that cannot be as for one that is not there: nothing to learn from."""
    return InputError("There is no set with this code.", "Compare it with the one you were given.", kind="code")
