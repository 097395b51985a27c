"""One family of errors. Each says what went wrong and what to do about it.

HematoVisionError
├── ImageError      a file is not a picture that we can read
├── ModelError      model/ is missing, damaged or does not fit its card
├── WorkerError     the gradient worker did not answer
├── DataError       a data set folder is not what it should be
└── InputError      an argument has no meaning here
"""


class HematoVisionError(Exception):
    """Base of all our errors.

    `message` says what happened, in words for the person in front of the screen; `hint` says what to do next;
    `kind` is a stable machine name.
    """

    kind = "error"

    def __init__(self, message: str, hint: str = "", kind: str | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        if kind is not None:
            self.kind = kind

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def as_json(self) -> dict[str, str]:
        return {"kind": self.kind, "message": self.message, "hint": self.hint}


class ImageError(HematoVisionError):
    kind = "image"


class ModelError(HematoVisionError):
    kind = "model"


class WorkerError(HematoVisionError):
    kind = "worker"


class DataError(HematoVisionError):
    kind = "data"


class InputError(HematoVisionError):
    kind = "input"


def unknown(what: str, received: str, allowed: object) -> InputError:
    """The error for a name outside a closed vocabulary."""
    names = ", ".join(str(a) for a in allowed)  # type: ignore[attr-defined]
    return InputError(f"Unknown {what} '{received}'.", f"Should be one of: {names}.", kind="unknown_name")
