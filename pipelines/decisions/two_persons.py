"""Two persons: who approves a merge is not who executes it. The settings can switch this off, never silently."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from pipelines.decisions.statement import DecisionRefusedError, checked_who, same_person
from pipelines.settings import Settings

log = logging.getLogger(__name__)

SWITCHED_OFF = (
    "TWO PERSONS ARE NOT ASKED FOR: decisions.two_persons is false in settings.toml, so one person alone may decide "
    "and merge. Switch it on again unless the provider has only one analyst."
)

OWN_DECISIONS = (
    "Who approved a merge may not carry it out as well. Ask another person to, who has the merge permission."
)


def require_another_person(settings: Settings, executor: str, approvers: Iterable[str]) -> None:
    """Let ``executor`` carry out what ``approvers`` decided or signed off.

    Raises DecisionRefusedError when the executor is no person, or is one of them; with ``decisions.two_persons``
    switched off the latter is only warned of.
    """
    executor = checked_who(executor)
    if not settings.decisions.two_persons:
        log.warning(SWITCHED_OFF)
    elif any(same_person(executor, who) for who in approvers):
        raise DecisionRefusedError(OWN_DECISIONS, code="D10")
