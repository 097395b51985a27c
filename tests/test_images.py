"""One decoder: every odd file gives the right picture or one clear message."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hematovision import images
from hematovision.errors import ImageError

SIZE = (48, 40)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def rgb() -> Image.Image:
    ramp = np.zeros((40, 48, 3), np.uint8)
    ramp[..., 0] = np.arange(48) * 5
    ramp[..., 1] = (np.arange(40) * 6)[:, None]
    ramp[..., 2] = 90
    return Image.fromarray(ramp)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_lossless_picture_comes_back_exactly(rgb, kind):
    assert np.array_equal(images.decode(saved(rgb, kind)), np.asarray(rgb))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_lossy_picture_comes_back_nearly(rgb, kind):
    found = images.decode(saved(rgb, kind, quality=95))
    assert np.abs(found.astype(int) - np.asarray(rgb)).mean() < 4


def test_cmyk_becomes_rgb():
    cyan = Image.new("CMYK", SIZE, (255, 0, 0, 0))
    assert np.abs(images.decode(saved(cyan, "TIFF")).astype(int) - (0, 255, 255)).max() <= 3


def test_sixteen_bits_are_scaled_not_cut():
    deep = np.linspace(0, 65535, 48 * 40).reshape(40, 48).astype(np.uint16)
    found = images.decode(saved(Image.fromarray(deep), "PNG"))
    assert (found.min(), found.max()) == (0, 255)
    assert np.array_equal(found[..., 0], np.round(deep / 257).astype(np.uint8))


def test_a_palette_keeps_its_colors(rgb):
    palette = rgb.quantize(8)
    assert np.array_equal(images.decode(saved(palette, "PNG")), np.asarray(palette.convert("RGB")))


def test_a_transparent_palette_lies_on_white():
    image = Image.new("P", SIZE, 0)
    image.putpalette([10, 20, 30] + [0] * 765)
    assert (images.decode(saved(image, "PNG", transparency=0)) == 255).all()


def test_transparency_lies_on_white():
    half = Image.new("RGBA", SIZE, (0, 0, 0, 128))
    assert set(np.unique(images.decode(saved(half, "PNG")))) == {127}


def test_gray_and_bilevel_become_rgb():
    assert (images.decode(saved(Image.new("L", SIZE, 77), "PNG")) == 77).all()
    assert (images.decode(saved(Image.new("1", SIZE, 1), "PNG")) == 255).all()


def test_exif_turns_the_picture(rgb):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by a quarter to see it upright
    found = images.decode(saved(rgb, "PNG", exif=exif))
    assert found.shape == (48, 40, 3)
    assert np.array_equal(found, np.rot90(np.asarray(rgb), -1))


def test_float_tiff_spans_what_it_holds():
    image = Image.fromarray(np.linspace(0, 2, 48 * 40, dtype=np.float32).reshape(40, 48))
    found = images.decode(saved(image, "TIFF"))
    assert (found.min(), found.max()) == (0, 255)


def animated(rgb) -> bytes:
    return saved(rgb, "WEBP", save_all=True, append_images=[Image.new("RGB", SIZE)], duration=100)


def bomb(rgb) -> bytes:
    return saved(Image.new("1", (20_000, 20_000)), "PNG")


BAD = {
    "empty": ("empty", lambda rgb: b""),
    "text": ("not_a_picture", lambda rgb: b"%PDF-1.7 not a picture at all" * 10),
    "gif": ("not_a_picture", lambda rgb: saved(rgb.quantize(8), "GIF")),
    "cut off JPEG": ("broken", lambda rgb: saved(rgb, "JPEG")[:-200]),
    "cut off PNG": ("broken", lambda rgb: saved(rgb, "PNG")[:-60]),
    "garbled PNG": ("broken", lambda rgb: saved(rgb, "PNG")[:60] + b"\xff" * 400),
    "animated": ("animated", animated),
    "too many pixels": ("too_large", bomb),
    "too many bytes": ("too_large", lambda rgb: bytes(images.MAX_BYTES + 1)),
    "tiny": ("too_small", lambda rgb: saved(rgb.resize((8, 8)), "PNG")),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_says_what_is_wrong_and_what_to_do(name, rgb):
    kind, make = BAD[name]
    with pytest.raises(ImageError) as caught:
        images.decode(make(rgb))
    assert caught.value.kind == kind
    assert caught.value.message and caught.value.hint


def test_a_missing_file_and_a_folder_say_so(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(ImageError) as caught:
            images.read(path)
        assert caught.value.kind == "not_found"


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_raises_anything_but_our_error(data):
    whole = saved(NOISE, data.draw(st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP", "BMP"])))
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(damaged) - 1)), max_size=8)):
        if damaged:
            damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        picture = images.decode(bytes(damaged))
    except ImageError as error:
        assert error.hint
    else:
        assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3


def test_png_for_the_browser_has_pixels_and_nothing_else(rgb):
    data = images.encode_png(np.asarray(rgb))
    assert np.array_equal(images.decode(data), np.asarray(rgb))
    assert not Image.open(io.BytesIO(data)).info
    assert not any(chunk in data for chunk in (b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"tIME"))


def test_a_picture_is_shrunk_only_where_it_is_too_large(rgb):
    picture = np.asarray(rgb)
    same, factor = images.at_most(picture, 48)
    assert same is picture and factor == 1
    small, factor = images.at_most(picture, 24)
    assert small.shape == (20, 24, 3) and factor == 0.5
