"""``python -m pipelines.cli`` is ``oneclient``."""

from pipelines.cli import main

main(prog_name="oneclient")
