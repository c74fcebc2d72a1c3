"""The nights of the home in ``conftest.py``."""

from __future__ import annotations

from datetime import date

NIGHTS = tuple(date(2026, 11, day) for day in (18, 19, 20))
