"""The review page inside the Airflow UI: *Review* in the menu, served under ``/oneclient``. The page itself knows no
Airflow and stands in ``pipelines/review/desk``; here is who may come in.

| permission | what it lets a person do | asked of Airflow's auth manager as |
| --- | --- | --- |
| ``REVIEW`` | see candidates, reveal, decide, undo | may edit the DAG ``nightly`` |
| ``MERGE`` | run merges, sign them off; asked by Airflow, not by the page | may edit the DAG ``apply_merges`` |

With FAB give a role *can edit on DAG:nightly* to review; to merge *can edit on DAG:apply_merges*, *can create on DAG
Runs* and *can edit on HITL Detail*; and the same on *DAG:undo_merges* to take back. The simple auth manager has global
roles only: *user* and above have all of it, *viewer* has none, and only the rule of two persons
(``pipelines/decisions/two_persons.py``) keeps approver and executor apart.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
    from fastapi import FastAPI, Request

    from pipelines.review.desk.people import Reviewer

REVIEW = "nightly"
MERGE = "apply_merges"
PREFIX = "/oneclient"


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


async def admit(request: Request) -> Reviewer:
    """The signed-in person, asked anew at every request. 401 without a sign-in, 403 without the permission."""
    from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
    from fastapi import HTTPException
    from fastapi.concurrency import run_in_threadpool

    from pipelines.review.desk.people import reviewer

    user = as_of_now(await get_user(request, None, await bearer_scheme(request)))
    if user is None or not await run_in_threadpool(is_permitted, user, REVIEW):
        raise HTTPException(403, "You may not review. Ask whoever runs Airflow for the right to edit the DAG nightly.")
    return reviewer(user.get_id(), user.get_name())


@cache
def the_app() -> FastAPI:
    """Made at the first request: scheduler and workers load this file as well, and need none of it."""
    from pipelines.review.desk.app import make_app
    from pipelines.settings import read_settings

    return make_app(read_settings, admit)


async def serve(scope: Any, receive: Any, send: Any) -> None:
    """The page, as the server knows it."""
    await the_app()(scope, receive, send)


class OneclientReview(AirflowPlugin):
    """What Airflow is told."""

    name = "oneclient_review"
    fastapi_apps = [{"app": serve, "url_prefix": PREFIX, "name": "oneclient review"}]
    external_views = [
        {
            "name": "Review",
            "href": f"{urlparse(conf.get('api', 'base_url', fallback='')).path.rstrip('/')}{PREFIX}/",
            "destination": "nav",
            "url_route": "review",
            "nav_top_level": True,
            "icon": f"{urlparse(conf.get('api', 'base_url', fallback='')).path.rstrip('/')}{PREFIX}/static/icon.svg",
        }
    ]
