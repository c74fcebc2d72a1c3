"""The review page inside the Airflow UI: *Review* in the menu, served under ``/oneclient``, or one for each provider of
the list, under ``/oneclient/<name>``. The page itself knows no Airflow and stands in ``pipelines/review/desk``; here is
who may come in.

| permission | what it lets a person do | asked of Airflow's auth manager as |
| --- | --- | --- |
| ``REVIEW`` | see candidates, reveal, decide, undo | may edit the provider's DAG ``nightly`` |
| ``MERGE`` | run merges, sign them off; of the page see merges and plans | may edit its DAG ``apply_merges`` |

With FAB give a role *can edit on DAG:nightly* to review; to merge *can edit on DAG:apply_merges*, *can create on DAG
Runs* and *can edit on HITL Detail*; and the same on *DAG:undo_merges* to take back. The DAGs of a provider on the list
end in its name, *DAG:nightly_acme*. The simple auth manager has global roles only: *user* and above have all of it, of
every provider, *viewer* has none, and only the rule of two persons (``pipelines/decisions/two_persons.py``) keeps
approver and executor apart.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from pipelines.providers import Provider, read_providers

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
    from fastapi import FastAPI, Request

    from pipelines.review.desk.people import Reviewer

REVIEW = "nightly"
MERGE = "apply_merges"


def as_of_now(user: BaseUser) -> BaseUser | None:
    """The user with the role that they have now; None if nobody of that name may sign in any more.

    The simple auth manager writes the role into the sign-in, which lasts a day whatever becomes of the person. Others
    look it up at every request.
    """
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    if not isinstance(get_auth_manager(), SimpleAuthManager) or conf.getboolean(
        "core", "simple_auth_manager_all_admins"
    ):
        return user
    listed = {one.username: one for one in SimpleAuthManager.get_users()}
    one = listed.get(user.get_name())
    return one and SimpleAuthManagerUser(username=one.username, role=one.role, teams=one.teams)


def is_permitted(user: BaseUser, dag_id: str) -> bool:
    """Whether Airflow lets this user edit the DAG that stands for a permission."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails

    return get_auth_manager().is_authorized_dag(method="PUT", details=DagDetails(id=dag_id), user=user)


class Page:
    """The review page of one provider, as the server knows it."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    async def admit(self, request: Request) -> Reviewer:
        """The signed-in person, asked anew at every request. 401 without a sign-in, 403 without the permission.

        Who signs off has to read the plan, and often may not review.
        """
        from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
        from fastapi import HTTPException
        from fastapi.concurrency import run_in_threadpool

        from pipelines.review.desk.merges import PATHS
        from pipelines.review.desk.people import reviewer

        user = as_of_now(await get_user(request, None, await bearer_scheme(request)))
        is_about_merging = getattr(request.scope.get("route"), "path", "") in PATHS
        for permission in (REVIEW, MERGE) if is_about_merging else (REVIEW,):
            if user and await run_in_threadpool(is_permitted, user, self.provider.called(permission)):
                return reviewer(user.get_id(), user.get_name())
        dag_id = self.provider.called(REVIEW)
        raise HTTPException(
            403, f"You may not review. Ask whoever runs Airflow for the right to edit the DAG {dag_id}."
        )

    @cached_property
    def app(self) -> FastAPI:
        """Made at the first request: scheduler and workers load this file as well, and need none of it."""
        from pipelines.review.desk.app import make_app
        from pipelines.settings import read_settings

        return make_app(lambda: read_settings(self.provider.home), self.admit, self.provider.name)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        await self.app(scope, receive, send)

    @property
    def mounted(self) -> dict[str, Any]:
        """How Airflow serves it."""
        return {"app": self, "url_prefix": self.provider.page, "name": self.provider.called("oneclient review")}

    @property
    def entry(self) -> dict[str, Any]:
        """How Airflow's menu leads to it."""
        address = f"{urlparse(conf.get('api', 'base_url', fallback='')).path.rstrip('/')}{self.provider.page}"
        return {
            "name": f"Review {self.provider.name}".strip(),
            "href": f"{address}/",
            "destination": "nav",
            "nav_top_level": not self.provider.name,
            "url_route": self.provider.called("review"),
            "icon": f"{address}/static/icon.svg",
        }


PAGES = [Page(provider) for provider in read_providers()]


class OneclientReview(AirflowPlugin):
    """What Airflow is told."""

    name = "oneclient_review"
    fastapi_apps = [page.mounted for page in PAGES]
    external_views = [page.entry for page in PAGES]
