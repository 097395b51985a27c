"""Limits of a share that was counted: Wilson's for what a learner does, exact ones for a differential."""

from collections.abc import Callable
from math import comb, sqrt


def wilson(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's 95 % interval of a share, in [0, 1] (Wilson 1927). (0, 1) where nothing was counted."""
    if total == 0:
        return 0.0, 1.0
    share = count / total
    middle = share + z * z / (2 * total)
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def exact(count: int, total: int) -> tuple[float, float]:
    """Exact 95 % limits of a share, in [0, 1] (Clopper and Pearson 1934), as in Rümke's table for differentials.

    The limits are the shares at which `count` or more, and `count` or less, would come up once in forty times.
    (0, 1) where nothing was counted.
    """
    if total == 0:
        return 0.0, 1.0
    low = 0.0 if count == 0 else _share_where(lambda share: 1 - _at_most(count - 1, total, share) >= 0.025)
    high = 1.0 if count == total else _share_where(lambda share: _at_most(count, total, share) <= 0.025)
    return low, high


def _at_most(count: int, total: int, share: float) -> float:
    """Probability of `count` or fewer of `total` cells, where each is of the class with probability `share`."""
    return sum(comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(count + 1))


def _share_where(is_reached: Callable[[float], bool]) -> float:
    """The least share in [0, 1] at which `is_reached` holds, by halving; it holds at 1 and stays once it holds."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if is_reached(middle) else (middle, high)
    return high
