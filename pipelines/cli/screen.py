"""What the command line shows a person; with ``--json`` it shows nothing of this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column
from rich.table import Table as RichTable
from rich.text import Text

from pipelines.settings import TIERS

console = Console()


class Table(RichTable):
    """A table that leaves nothing out: what does not fit into a column goes on in the next line."""

    def __init__(self, *headings: Column | str, **more: Any) -> None:
        columns = (Column(one, overflow="fold") if isinstance(one, str) else one for one in headings)
        super().__init__(*columns, **more)


def show_pairs(title: str, values: dict[str, Any]) -> None:
    """Names and values, a line each."""
    table = Table(Column(no_wrap=True), Column(overflow="fold"), title=title, show_header=False)
    for name, value in values.items():
        table.add_row(name.replace("_", " "), _said(value))
    console.print(table)


def _said(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case dict():
            return ", ".join(f"{name.replace('_', ' ')} {_said(each)}" for name, each in value.items())
        case _:
            return str(value)


def _in_all(counts: dict[str, int]) -> str:
    """What a sum is made of: `` (new reference 80, …)``; nothing for nothing."""
    each = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
    return f" ({each})" if each else ""


def show_sample(made: dict[str, Any], mappings: Path | None = None) -> None:
    """What a sample holds, how to read its counts, and where the mappings are that its files need."""
    show_pairs("Made up", made)
    console.print(
        "Records: what an import by exact reference alone would make of these files. A night also looks at who it is,"
        " and makes a few more or fewer. By kind: rows of truth.csv; a row can be of several kinds."
    )
    if mappings:
        console.print(
            f"Two councils send layouts of their own: copy {mappings}/*.yaml to HOME/sources before the first night."
        )


def show_night(night: dict[str, Any]) -> None:
    """What came of each file, new client records, candidates, and where the report is."""
    files = Table("feed", "issuer", "status", "read", "loaded", "rejected", "reason", title=f"Night of {night['day']}")
    for landing in night["landings"]:
        counts = (f"{landing[c]:,}" for c in ("rows_read", "rows_loaded", "rows_rejected"))
        files.add_row(landing["feed"], landing["issuer"], landing["status"], *counts, _why(landing))
    console.print(files)
    made, tiers, measured = night["staging"]["new_clients"], night["matching"]["tiers"], night["measured"]
    faults = [
        f"{measured[what]:,} {words}"
        for what, words in (
            ("rows_rejected", "rows were rejected"),
            ("cells_unread", "cells could not be read and stayed empty"),
        )
        if measured[what]
    ]
    if faults:
        console.print(f"{' and '.join(faults)}: the report says which, and why.")
    console.print(f"New client records: {sum(made.values()):,}{_in_all(made)}")
    still_open = sum(measured["waiting"].values())
    console.print(f"Candidates: {sum(tiers.values()):,}{_in_all(tiers)}, of them {still_open:,} open")
    console.print(f"Report: {night['report']}/index.html", soft_wrap=True)


def _why(landing: dict[str, Any]) -> str:
    code = f"[{landing['code']}] " if landing["code"] else ""
    return f"{code}{landing['reason'] or ''}"


def show_evaluation(found: dict[str, Any]) -> None:
    """Scores, blocking, reliability and hard negatives of a labelled file."""
    taken = ", ".join(f"{heading} as {role}" for heading, role in found["roles"].items())
    console.print(f"Columns: {taken}")
    console.print(f"{found['records']:,} records, {found['true_pairs']:,} true pairs, model {found['model_version']}")
    scores = Table("pairs of", "precision", "recall", "F1", "pairs")
    rows = {"final clusters": found["clusters"]}
    rows |= {f"{tier} and above": score for tier, score in found["tiers"].items()}
    rows |= {f"best threshold ({found['best_threshold']:.4f}, truth in hand)": found["best"]}
    for name, score in rows.items():
        scores.add_row(name, *(f"{score[s]:.4f}" for s in ("precision", "recall", "f1")), f"{score['pairs']:,}")
    console.print(scores)
    blocking = Table("blocking rule", "pairs", "recall so far", title="Blocking")
    for rule in found["blocking"]:
        blocking.add_row(rule["rule"], f"{rule['pairs']:,}", f"{rule['recall']:.4f}")
    reliability = Table("match probability", "pairs", "said", "true", title="Reliability")
    for band in found["reliability"]:
        shares = (f"{band[share]:.4f}" for share in ("said", "true"))
        reliability.add_row(f"{band['from']:g} to {band['to']:g}", f"{band['pairs']:,}", *shares)
    hard = Table("two people, easily one", "pairs", *TIERS, "one cluster", title="Hard negatives")
    for kind, counts in found["hard_negatives"].items():
        hard.add_row(kind, *(f"{count:,}" for count in counts.values()))
    console.print(blocking, reliability, hard)
    for title, key in (("Missed, for", "missed_for"), ("False, for", "false_for")):
        console.print(f"{title}: " + "; ".join(f"{reason} {count:,}" for reason, count in found[key].items()))


def show_candidates(found: list[dict[str, Any]]) -> None:
    """A line for each candidate."""
    columns = (Column("candidate", no_wrap=True), "tier", "probability", "left", "right", "relation", "status")
    table = Table(*columns, title=f"{len(found):,} candidates")
    for c in found:
        table.add_row(
            c["candidate_id"], c["tier"] or "not proposed", f"{c['match_probability']:.4f}",
            c["left"]["client_ref"], c["right"]["client_ref"], c["relation"], c["standing"],
        )  # fmt: skip
    console.print(table)


def show_confusions(found: list[dict[str, Any]]) -> None:
    """A line for each pair of records that share an identifier, and how to settle one."""
    columns = (Column("case", no_wrap=True), "identifier", "number", "one record", "another record", "status")
    table = Table(*columns, title=f"{len(found):,} open confusions: one identifier on two people")
    for c in found:
        identifier = f"{c['issuer']} {c['kind'].replace('_', ' ')}".strip()
        table.add_row(c["candidate_id"], identifier, c["number"], c["left_ref"], c["right_ref"], c["standing"])
    console.print(table)
    if found:
        console.print(
            "Settle one: oneclient decide CASE --verdict different (another person was given the identifier) or same"
            " (one person, the details changed)."
        )


def show_decided(done: dict[str, Any]) -> None:
    """What was recorded, left out and refused, and how the case stands now."""
    console.print(f"Recorded: {done['recorded']:,}; recorded before: {done['repeated']:,}")
    for why, count in done["skipped"].items():
        console.print(f"Left out: {count:,} ({why})")
    for one in done["refused"]:
        console.print(f"Refused: row {one['row']} {one['candidate_id']} [{one['code']}] {one['reason']}", markup=False)
    if done["refused_copy"]:
        console.print(f"The refused rows, each with its reason: {done['refused_copy']}", soft_wrap=True)
    if done["standing"]:
        console.print(f"It stands as: {done['standing']} ({done['standing_reason']})")


def show_plan(plan: Any, page: Path) -> None:
    """A line for each merge or undo, what would move, and what stands in the way."""
    table = Table(Column("merge", no_wrap=True), "wave", "into", "from", "why this way", "rows", "left", "blocked by")
    for one in (*plan.ready, *plan.undoes, *plan.blocked):
        away = ", ".join(member.client_ref for member in one.merge.sources)
        blocked = ", ".join(blocker.kind for blocker in one.blockers)
        if one.open_ways:
            blocked += f" (open: into {', '.join(one.open_ways)})"
        moves, left = (f"{sum(rows.values()):,}" for rows in (one.measured.moves, one.measured.left))
        table.add_row(
            one.merge.merge_id, one.merge.wave, one.merge.survivor, away, one.survivor_because, moves, left, blocked
        )
    console.print(table)
    what = "undo" if plan.undoes else "merge"
    moves = ", ".join(f"{rows:,} {kind.replace('_', ' ')}" for kind, rows in plan.moves.items() if rows)
    console.print(f"Would {what}: {len(plan.ready) + len(plan.undoes):,}; blocked: {len(plan.blocked):,}")
    console.print(f"Would move: {moves or 'nothing'}")
    console.print(f"Partitions: {', '.join(str(p.from_on or 'current') for p in plan.partitions) or 'none'}")
    for held in plan.held_back:
        console.print(f"Held back: {held.candidate_id} {held.standing}: {held.reason}")
    if plan.unfinished:
        console.print(f"A run is not finished (entry {plan.unfinished}): oneclient merge apply finishes it")
    console.print(f"Plan: {page}", soft_wrap=True)


def show_undone(done: dict[str, Any]) -> None:
    """How much was taken back and moved back, what becomes of the decisions, and where it is published."""
    undone, rows = done["undone"], {kind: rows for kind, rows in done["moved"].items() if rows}
    moved = ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in rows.items())
    console.print(f"Taken back: {undone:,} {'merge' if undone == 1 else 'merges'}")
    console.print(f"Moved back to the records that they came in for: {moved or 'nothing'}")
    if undone:
        console.print(
            "What was decided has lapsed: each case is open again, and merged only if somebody decides it anew."
        )
    if done["published"]:
        console.print(f"Published: {done['published']}", soft_wrap=True)


def show_merged(done: dict[str, Any]) -> None:
    """How much was merged, taken back and moved, and where it is published."""
    moved = ", ".join(f"{rows:,} {kind.replace('_', ' ')}" for kind, rows in done["moved"].items() if rows)
    console.print(f"Merged: {done['merges']:,}; taken back: {done['undone']:,}; partitions: {done['partitions']:,}")
    console.print(f"Moved: {moved or 'nothing'}")
    if done["published"]:
        console.print(f"Published: {done['published']}", soft_wrap=True)


def show_status(status: Any) -> None:
    """A line for each merge that stands, and what the watch found."""
    table = Table(Column("merge", no_wrap=True), "state", "into", "from", "signed off by", "on", "visits left")
    for one in status.merges:
        table.add_row(
            one.merge_id, one.state, one.survivor, ", ".join(one.merged_away), one.signed_by, f"{one.signed_on}",
            f"{one.visits_left:,}",
        )  # fmt: skip
    console.print(table if status.merges else "No merge stands.")
    if status.unfinished:
        console.print(f"A run is not finished (entry {status.unfinished}): oneclient merge apply finishes it")
    for finding in status.findings:
        console.print(
            f"{'Contradicted' if finding.contradicts else 'Found'}: {finding.merge_id} "
            f"{', '.join(finding.client_refs or (finding.client_ref,))}: {finding.what} ({finding.rows:,}). "
            f"{f'Why: {finding.why}. ' if finding.why else ''}"
            f"{f'For: {finding.owner}. ' if finding.owner else ''}{finding.fix}"
        )


def show_proposal(found: Any, *, on_error_stream: bool, asked: bool) -> None:
    """How sure each column of a suggested mapping is, the first rows as they would be read, and what would not be.

    On the error stream only for a person who looks at it, or who asked.
    """
    out = Console(stderr=True) if on_error_stream else console
    if on_error_stream and not (asked or out.is_terminal):
        return
    columns = Table("heading", "field", Column("sure", justify="right"), "because", title=found.suggestion.feed)
    for one in found.suggestion.columns:
        sure = f"{one.confidence:.0%}" if one.carries else "left out"
        carries = f"{one.split.kind}: {', '.join(one.split.fields)}" if one.split else one.field or ""
        columns.add_row(Text(one.heading), Text(carries), sure, Text(one.because))
    out.print(columns)
    headings = [one.heading for one in found.suggestion.columns if one.carries]
    _show_rows(out, "as sent", headings, found.trial.before, found.masked)
    names = list(dict.fromkeys(name for row in found.trial.rows for name in row))
    _show_rows(out, "as they would be read", names, found.trial.rows, found.masked)
    trial, first = found.trial, "first " if found.trial.more else ""
    if trial.rows_read:
        loaded, rejected = f"{trial.rows_loaded:,} loaded", f"{trial.rows_rejected:,} rejected"
        out.print(f"Of the {first}{trial.rows_read:,} rows: {loaded}, {rejected}")
    for what, counts in (("Rejected", trial.rejected), ("Not read, and left empty", trial.unread)):
        for why, count in counts.items():
            out.print(f"{what}: {count:,} ({why})", markup=False)
    if trial.refused:
        out.print(f"The nightly run would refuse the file: {trial.refused}", markup=False)
    for note in (*found.suggestion.notes, *trial.notes):
        out.print(f"Look at: {note}", markup=False)


def say_what_is_unsure(suggestion: Any, feed: str | None, *, not_written: bool) -> None:
    """Why a suggested mapping is not sure, which feeds it may be, and how to go on."""
    if suggestion.sure:
        return
    out = [f"Unsure: it fits {suggestion.best.feed} best ({suggestion.best.says})."]
    if suggestion.runner_up:
        out.append(f"Next best: {suggestion.runner_up.feed} ({suggestion.runner_up.says}).")
    if feed is None:
        how = f"If you know what it is, say so: --feed {suggestion.best.feed}, or another feed."
    else:
        lacking = ", ".join(suggestion.missing)
        how = f"No column can be {lacking}: ask the sender for it, or write the mapping by hand (docs/mappings.md)."
    click.echo("\n".join([*out, f"{'Not written. ' if not_written else ''}{how}"]), err=not not_written)


def _show_rows(out: Console, title: str, names: list[str], rows: Any, masked: bool) -> None:
    """Rows side by side, fields downwards, as many at once as there is room for."""
    names = [name for name in names if any(name in row for row in rows)]
    room = max(1, (out.width - 24) // 18)
    for start in range(0, len(rows), room):
        block = rows[start : start + room]
        told = title + (", masked: --show shows them" if masked else "")
        table = Table("row", *(f"{start + n}" for n in range(1, len(block) + 1)), title=None if start else told)
        for name in names:
            table.add_row(Text(name), *(Text(row.get(name, "")) for row in block))
        out.print(table)


def show_findings(findings: list[Any]) -> None:
    """What is well and what is not, and then what to do."""
    for finding in findings:
        click.echo(f"{'well   ' if finding.well else 'PROBLEM'}  {finding.check}: {finding.found}")
        if not finding.well:
            click.echo(f"         {finding.next}")


def show_checked(files: list[dict[str, Any]]) -> None:
    """What a nightly run would make of files."""
    for file in files:
        table = Table(Column(no_wrap=True), Column(overflow="fold"), title=Text(file["file"]), show_header=False)
        table.add_row("source", Text(f"{file['source']} ({file['feed']} of {file['issuer']})"))
        table.add_row("status", Text(f"[{file['code']}] {file['status']}" if file["code"] else file["status"]))
        if file["reason"]:
            table.add_row("reason", Text(file["reason"]))
        if "surge" in file:
            _show_facts(table, file)
        console.print(table)


def _show_facts(table: Table, file: dict[str, Any]) -> None:
    table.add_row("rows", f"{file['rows_read']:,} read, {file['rows_loaded']:,} would load")
    for rejected in file["rejected"]:
        table.add_row(
            "rejected rows", Text(f"{rejected['count']:,}: {rejected['reason']} ({rejected['column'] or 'row'})")
        )
    for column, count in file["unread"].items():
        table.add_row("unread cells", f"{count:,} in {column}")
    for name in ("headings_new", "headings_gone", "headings_unmapped", "emptied"):
        if file[name]:
            table.add_row(name.replace("_", " "), Text(", ".join(file[name])))
    surge, missing = file["surge"], file["missing"]
    limit = f", at most {surge['limit']:,} are usual" if surge["limit"] is not None else ""
    table.add_row("new clients", f"{surge['new']:,} of {surge['named']:,} named{limit}")
    for near in file["near"]:
        table.add_row("near an existing one", Text(f"row {near['row']}: {near['sent']} is near {near['existing']}"))
    if missing["active"]:
        table.add_row("missing from it", f"{missing['missing']:,} of {missing['active']:,} active records")
    for column, said in file["read_as"].items():
        table.add_row(f"{column} read as", Text(said))
    for note in file["notes"]:
        table.add_row("note", Text(note))
