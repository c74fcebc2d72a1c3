"""Whole numbers drawn at random, and whole numbers as text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from pipelines.sample.names import Texts


def draw_distinct(rng: Generator, low: int, high: int, size: int) -> NDArray[np.int64]:
    """`size` distinct whole numbers in [low, high), in random order. ValueError when the range is too small."""
    if size > (high - low) // 2:
        raise ValueError(f"Cannot draw {size} distinct numbers from {low} to {high}; widen the range.")
    found = np.empty(0, dtype=np.int64)
    while len(found) < size:
        found = np.unique(np.concatenate([found, rng.integers(low, high, int((size - len(found)) * 1.2) + 16)]))
    return rng.permutation(found)[:size]


def digits(numbers: NDArray[np.integer[Any]], width: int = 0) -> Texts:
    """Whole numbers as text, with leading zeros up to `width`."""
    text = numbers.astype("U")
    return (np.strings.zfill(text, width) if width and len(text) else text).astype(object)
