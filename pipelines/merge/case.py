"""A case: two or more records of one person, perhaps, and what has been chosen about joining them."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.decisions.statement import NO_CHOICES, Choices
from pipelines.merge.record import Record


@dataclass(frozen=True)
class Case:
    """The records of one pair or cluster (two or more, ids all different), and the choices of its decision."""

    records: tuple[Record, ...]
    choices: Choices = NO_CHOICES

    def record(self, client_ref: str) -> Record:
        """The record of that name. Raises KeyError if it is not in the case."""
        for record in self.records:
            if record.client_ref == client_ref:
                return record
        raise KeyError("no record of that name is in the case")

    def others(self, survivor: Record) -> tuple[Record, ...]:
        """The records that would be merged away."""
        return tuple(record for record in self.records if record.client_id != survivor.client_id)
