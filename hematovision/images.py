"""Bytes -> checked RGB array. The only decoder of anything that a person brings."""

import io
import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from hematovision.errors import ImageError

Picture = NDArray[np.uint8]
"""(H, W, 3) RGB."""

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
MAX_PIXELS = 40_000_000
MAX_BYTES = 50_000_000
MIN_SIDE = 32

_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    struct.error,
)
"""What Pillow's decoders raise for damaged files."""

_FORMATS_HINT = "Use PNG, JPEG, TIFF, WebP or BMP."


def read(path: Path | str) -> Picture:
    """Decode the picture file at `path`. Raises ImageError."""
    path = Path(path)
    try:
        size = path.stat().st_size
        if path.is_file() and size > MAX_BYTES:
            raise _too_large(size)
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageError("There is no such file.", "Check the path.", kind="not_found") from None
    except IsADirectoryError:
        raise ImageError("This is a folder, not a picture.", "Name the pictures in it.", kind="not_found") from None
    except OSError as error:
        raise ImageError(
            f"The file cannot be read: {error.strerror}.", "Check its permissions.", kind="unreadable"
        ) from error
    return decode(data)


def decode(data: bytes) -> Picture:
    """Decode one still picture of at most 40 megapixels to (H, W, 3) uint8 RGB.

    Turned as EXIF says, 16 bits scaled to 8, transparency laid on white, gray, palette and CMYK made RGB.
    Raises ImageError for everything else: empty, broken, cut off, too large, too small, animated, not a picture.
    """
    if not data:
        raise ImageError("The file is empty.", "Save or copy the picture again.", kind="empty")
    if len(data) > MAX_BYTES:
        raise _too_large(len(data))
    try:
        # Pillow warns of bombs from 89 megapixels on; our own limit below is lower and is checked before any pixel.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except UnidentifiedImageError:
        raise ImageError("This file is not a picture that we can read.", _FORMATS_HINT, kind="not_a_picture") from None
    except _DAMAGE as error:
        raise _broken() from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_many_pixels(image.size)
        if min(image.size) < MIN_SIDE:
            raise ImageError(
                f"The picture is only {image.width} × {image.height} pixels.",
                f"A cell needs at least {MIN_SIDE} pixels on each side.",
                kind="too_small",
            )
        try:
            # What Pillow warns of in a damaged file is either mended by it or an error below.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if getattr(image, "n_frames", 1) > 1:
                    raise ImageError(
                        "The file holds several pictures.",
                        "Save the one you mean as a file of its own.",
                        kind="animated",
                    )
                image.load()
                return _to_rgb(ImageOps.exif_transpose(image))
        except _DAMAGE as error:
            raise _broken() from error


def encode_png(picture: Picture) -> bytes:
    """PNG bytes of an RGB picture: pixels only, no metadata."""
    # OpenCV lets other threads run meanwhile.
    _, packed = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return packed.tobytes()


def encode_webp(picture: Picture) -> bytes:
    """WebP bytes of an RGB picture, at a quality that no eye tells from the original: pixels only, no metadata."""
    _, packed = cv2.imencode(".webp", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, 95])
    return packed.tobytes()


def at_most(picture: Picture, side: int) -> tuple[Picture, float]:
    """The picture, shrunk where needed to a longer side of at most `side`, and the factor."""
    shrink = min(1.0, side / max(picture.shape[:2]))
    if shrink == 1:
        return picture, shrink
    return cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA).astype(np.uint8), shrink


def _to_rgb(image: Image.Image) -> Picture:
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep(np.asarray(image))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        image = Image.alpha_composite(white, rgba)
    return np.array(image.convert("RGB"), dtype=np.uint8)


def _from_deep(values: np.ndarray) -> Picture:
    """Gray of 16 or 32 bits or floats -> RGB. 16 bits span 0..65535; floats and 32 bits span what they hold."""
    if not np.isfinite(values).all():
        raise _broken()
    values = values.astype(np.float64)
    if values.min() >= 0 and 255 < values.max() <= 65535:
        low, high = 0.0, 65535.0
    else:
        low, high = float(min(values.min(), 0)), float(max(values.max(), 1))
    gray = np.round((values - low) / (high - low) * 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def _broken() -> ImageError:
    return ImageError("The picture is damaged or cut off.", "Save, copy or download it again.", kind="broken")


def _too_large(size: int) -> ImageError:
    return ImageError(
        f"The file has {size / 1e6:.0f} MB.",
        f"The limit is {MAX_BYTES / 1e6:.0f} MB: save it smaller.",
        kind="too_large",
    )


def _too_many_pixels(size: tuple[int, int] | None = None) -> ImageError:
    what = f"The picture has {size[0]} × {size[1]} pixels." if size else "The picture has far too many pixels."
    return ImageError(what, f"The limit is {MAX_PIXELS // 1_000_000} megapixels: crop or shrink it.", kind="too_large")
