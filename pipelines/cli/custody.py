"""Commands that keep what people entrusted: backup, restore, upgrade, key, unseal."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli import screen
from pipelines.cli.door import answer, command, progress
from pipelines.settings import home_folder, key_of_home, load_home

Existing = click.Path(exists=True, dir_okay=False, path_type=Path)


@command
@click.option("--to", "to", required=True, type=click.Path(path_type=Path), help="The file to make, outside the home.")
def backup(to: Path, home: Path | None, as_json: bool) -> None:
    """Put all of the home into one file, of one moment; sealed if the home is encrypted."""
    from pipelines.custody.backup import back_up

    settings = load_home(home)
    with progress(quiet=as_json) as told:
        made = back_up(settings, to, told).as_dict()
    answer(made, as_json, lambda: screen.show_pairs("Backed up", made))


@command
@click.argument("file", type=Existing)
def restore(file: Path, home: Path | None, as_json: bool) -> None:
    """Make a new home (--home) from a backup: all of it, found to be as it was, or nothing."""
    from pipelines.custody.restore import restore as make_home

    with progress(quiet=as_json) as told:
        made = make_home(file, home_folder(home), told).as_dict()
    answer(made, as_json, lambda: screen.show_pairs("Restored", made))


@command
@click.option("--dry-run", is_flag=True, help="Try it, say what would be done, and change nothing.")
def upgrade(dry_run: bool, home: Path | None, as_json: bool) -> None:
    """Bring a home of an earlier release to this one. Back it up first: a backup is the only way back."""
    from pipelines.upgrade import upgrade as bring_to_present

    with progress(quiet=as_json) as told:
        done = bring_to_present(load_home(home), dry_run=dry_run, progress=told)

    def show() -> None:
        for step in done.steps:
            rows = "; ".join(f"{table}, {rows:,} rows" for table, rows in step.rows.items())
            click.echo(f"{step.store} to schema {step.schema}: {step.why}{f' ({rows})' if rows else ''}")
        if not done.steps:
            said = "Nothing to upgrade: the home is"
        else:
            said = "Nothing was changed. The home would be" if dry_run else "The home is"
        click.echo(f"{said} of schema {done.warehouse}, its decisions of schema {done.decisions}.")

    answer(done.as_dict(), as_json, show)


@command
def key(home: Path | None, as_json: bool) -> None:
    """Print a new key. Keep it in a safe place and apart from the backups: without it nobody can read the home."""
    from pipelines.sealing import new_key

    made = new_key()
    answer({"key": made}, as_json, lambda: click.echo(made))


@command
@click.argument("file", type=Existing)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to make.")
def unseal(file: Path, out: Path, home: Path | None, as_json: bool) -> None:
    """Write what a sealed FILE of archive/ or quarantine/, or a sealed backup, holds."""
    from pipelines.sealing import unseal as take_out

    take_out(file, out, key_of_home(home_folder(home)))
    answer({"file": str(out)}, as_json, lambda: click.echo(str(out)))
