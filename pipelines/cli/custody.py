"""Commands that keep what people entrusted: backup, restore, key, unseal."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines import screen
from pipelines.cli.door import answer, command, progress
from pipelines.settings import home_folder, key_of_home, load_settings

Existing = click.Path(exists=True, dir_okay=False, path_type=Path)


@command
@click.option("--to", "to", required=True, type=click.Path(path_type=Path), help="The file to make, outside the home.")
def backup(to: Path, home: Path | None, as_json: bool) -> None:
    """Put all of the home into one file, of one moment; sealed if the home is encrypted."""
    from pipelines.custody.backup import back_up

    settings = load_settings(home)
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
