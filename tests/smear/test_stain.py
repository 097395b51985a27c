"""Stain and camera: Beer-Lambert in numbers, mixtures, variation."""

from dataclasses import fields, replace

import numpy as np
import pytest

from hematovision.smear.stain import MGG, STAINS, Stain, mix, photograph, vary

PLAIN = replace(MGG, fringe=0.0, unevenness=0.0, sharpening=0.0, noise=0.0, quality=98.0)


def test_nothing_absorbed_is_the_color_of_the_light():
    picture = photograph(np.zeros((64, 64, 3), np.float32), PLAIN, np.random.default_rng(0))
    assert np.abs(picture.astype(int) - np.array(MGG.light)).max() <= 2


def test_density_absorbs_exponentially():
    density = np.full((64, 64, 3), np.log(2), np.float32)
    picture = photograph(density, PLAIN, np.random.default_rng(0))
    assert np.abs(picture.astype(int) - np.array(MGG.light) / 2).max() <= 2


def test_mixtures_run_from_one_stain_to_the_other():
    wright = STAINS["wright"]
    assert mix(MGG, wright, 0.0) == MGG and mix(MGG, wright, 1.0) == wright
    half = mix(MGG, wright, 0.5)
    assert half.light == pytest.approx([(a + b) / 2 for a, b in zip(MGG.light, wright.light, strict=True)])
    assert half.defocus == pytest.approx((MGG.defocus + wright.defocus) / 2)


def test_variation_is_mild_and_repeatable():
    first, again = (vary(MGG, np.random.default_rng(5)) for _ in range(2))
    assert first == again != MGG
    for seed in range(50):
        stain = vary(MGG, np.random.default_rng(seed))
        assert all(len(np.atleast_1d(getattr(stain, f.name))) in (1, 3) for f in fields(Stain))
        assert all(0 <= v <= 255 for v in stain.light)
        assert np.allclose(stain.purple, MGG.purple, rtol=0.35)
        assert 50 <= stain.quality <= 98
