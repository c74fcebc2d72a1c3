"""# train: learn the matching model anew

Triggered by hand, when the report or `oneclient doctor` says that the register has drifted from the one that the model
was trained on, or after an upgrade. `oneclient train` does the same without Airflow.

The new model becomes the current one, unless `match.model` in `HOME/settings.toml` pins another; the next night scores
every pair again. Compare the quality that the task returns with that of the model before, in
`HOME/models/<version>/model.json`, and look at the charts beside it. To go back, pin the old version.

When it is red: nothing has changed, and the old model is still in use. An empty register has nothing to learn from.
Anything else may simply be cleared.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowFailException

from pipelines.providers import Provider, read_providers


def wire(provider: Provider) -> None:
    """Wire the one step."""

    @task(pool=provider.pool)
    def train_model() -> dict[str, Any]:
        from pipelines import nightly
        from pipelines.settings import load_settings
        from pipelines.troubles import KnownError
        from pipelines.unforeseen import quoting_nobody

        try:
            with quoting_nobody():
                return nightly.train(load_settings(provider.home))
        except KnownError as error:
            if error.trouble.may_pass:
                raise
            raise AirflowFailException(error.told) from error

    train_model()


for one in read_providers():
    with DAG(
        one.called("train"),
        schedule=None,
        catchup=False,
        max_active_runs=1,
        doc_md=__doc__,
        tags=one.tags,
        default_args={"owner": "oneclient", "retries": 2, "retry_delay": timedelta(minutes=1), **one.placed},
    ):
        wire(one)
