"""Account settings: whose they are, which values they take, what they show, and the two that have an effect."""

from __future__ import annotations

from typing import Any

import pytest

from ecsctl.model.api.account_settings import (
    DeleteAccountSettingRequest,
    ListAccountSettingsRequest,
    PutAccountSettingDefaultRequest,
    PutAccountSettingRequest,
)
from ecsctl.model.api.clusters import CreateClusterRequest
from ecsctl.model.api.tasks import RunTaskRequest
from ecsctl.model.arn import Scope
from ecsctl.model.common import Setting
from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode, evolve
from ecsctl.operations.account_settings import (
    delete_account_setting,
    list_account_settings,
    put_account_setting,
    put_account_setting_default,
)
from ecsctl.operations.clusters import create_cluster
from ecsctl.operations.context import Context
from ecsctl.operations.tasks import run_task
from tests.controller.world import World

ROOT = "arn:aws:iam::000000000000:root"
ANN = "arn:aws:iam::000000000000:user/ann"


@pytest.fixture
def root(world: World) -> Context:
    return world.process()


@pytest.fixture
def ann(root: Context) -> Context:
    return evolve(root, asked_by=ANN)


def put(ctx: Context, name: str, value: str, principal: str | None = None) -> Setting | None:
    data: dict[str, Any] = {"name": name, "value": value, "principalArn": principal}
    return put_account_setting(ctx, decode(PutAccountSettingRequest, data)).setting


def refused(ctx: Context, name: str, value: str, principal: str | None = None) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        put(ctx, name, value, principal)
    return caught.value.code, caught.value.message


def listed(ctx: Context, **asked: Any) -> dict[str, tuple[str | None, str | None]]:
    found = list_account_settings(ctx, ListAccountSettingsRequest(**asked)).settings or []
    return {str(setting.name): (setting.value, setting.principal_arn) for setting in found}


def test_one_that_nobody_set_is_shown_as_the_default_only_when_it_is_asked_for(root: Context) -> None:
    assert listed(root) == {}
    assert listed(root, name="taskLongArnFormat", effective_settings=True) == {"taskLongArnFormat": ("enabled", ROOT)}
    assert listed(root, name="taskLongArnFormat", value="disabled", effective_settings=True) == {}


def test_all_of_them_are_two_pages(root: Context) -> None:
    first = list_account_settings(root, ListAccountSettingsRequest(effective_settings=True))
    rest = list_account_settings(root, ListAccountSettingsRequest(effective_settings=True, next_token=first.next_token))
    assert (len(first.settings or []), len(rest.settings or []), rest.next_token) == (10, 1, None)
    for wrong in (0, 11):
        with pytest.raises(ApiError, match="maxResults must be between 1 and 10"):
            list_account_settings(root, ListAccountSettingsRequest(max_results=wrong))


def test_the_roots_holds_for_all_who_have_none_of_their_own(root: Context, ann: Context) -> None:
    set_ = put_account_setting_default(root, PutAccountSettingDefaultRequest("containerInsights", "enhanced")).setting
    assert set_ == Setting(name="containerInsights", value="enhanced", principal_arn=ROOT, type="user")
    assert listed(ann) == {}
    assert listed(ann, name="containerInsights", effective_settings=True) == {"containerInsights": ("enhanced", ROOT)}
    put(ann, "containerInsights", "disabled")
    assert listed(ann) == {"containerInsights": ("disabled", ANN)}
    assert listed(root, principal_arn=ANN) == listed(ann)
    gone = delete_account_setting(ann, DeleteAccountSettingRequest("containerInsights")).setting
    assert gone == set_
    assert listed(ann) == {}


def test_the_session_of_a_role_has_the_settings_of_the_role(root: Context) -> None:
    session = evolve(root, asked_by="arn:aws:sts::000000000000:assumed-role/ci/job-7")
    put(session, "awsvpcTrunking", "enabled")
    role = "arn:aws:iam::000000000000:role/ci"
    assert listed(session) == listed(root, principal_arn=role) == {"awsvpcTrunking": ("enabled", role)}


def test_settings_are_of_a_region(world: World, root: Context) -> None:
    put(root, "awsvpcTrunking", "enabled")
    assert listed(evolve(root, scope=Scope("eu-west-1"))) == {}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("taskLongArnFormat", "disabled", "taskLongArnFormat can be enabled here, not 'disabled'"),
        ("tagResourceAuthorization", "off", "can be on here, not 'off'"),
        ("fargateTaskRetirementWaitPeriod", "8", "can be 7 or 0 or 14 here, not '8'"),
        ("guardDutyActivate", "on", "guardDutyActivate is read-only"),
        ("defaultLogDriverMode", "", "can be blocking or non-blocking here, not ''"),
    ],
)
def test_a_value_that_it_cannot_have_is_refused(name: str, value: str, said: str, root: Context) -> None:
    code, message = refused(root, name, value)
    assert code == "InvalidParameterException"
    assert said in message
    assert listed(root) == {}


def test_those_of_others_are_the_root_users_to_set(root: Context, ann: Context) -> None:
    assert refused(ann, "awsvpcTrunking", "enabled", ROOT)[0] == "AccessDeniedException"
    assert refused(ann, "awsvpcTrunking", "enabled", ANN + "e")[0] == "AccessDeniedException"
    assert refused(ann, "fargateTaskRetirementWaitPeriod", "14")[1].endswith("can only be set for the root user.")
    for strange in ("ann", ANN.replace("000000000000", "1"), "arn:aws:iam::000000000000:user/"):
        assert refused(root, "awsvpcTrunking", "enabled", strange)[0] == "InvalidParameterException"
    put(root, "awsvpcTrunking", "enabled", ANN)
    assert listed(ann) == {"awsvpcTrunking": ("enabled", ANN)}


def test_a_value_is_only_looked_for_with_a_name(root: Context) -> None:
    with pytest.raises(ApiError, match="give the name of the setting too"):
        listed(root, value="enabled")


def test_a_new_cluster_has_the_insights_of_who_makes_it(root: Context, ann: Context) -> None:
    put(ann, "containerInsights", "enhanced")
    made = [create_cluster(ctx, CreateClusterRequest(name)).cluster for ctx, name in ((root, "a"), (ann, "b"))]
    values = [setting.value for cluster in made if cluster for setting in cluster.settings or []]
    assert values == ["disabled", "enhanced"]


def test_a_new_task_hands_its_logs_on_as_the_account_says_unless_its_definition_does(
    world: World, root: Context
) -> None:
    log = {"logDriver": "json-file", "options": {"max-size": "1m"}}
    own = {"logDriver": "awslogs", "options": {"awslogs-group": "a", "awslogs-region": "b", "mode": "blocking"}}
    containers = [{"name": "a", "logConfiguration": log}, {"name": "b", "logConfiguration": own}]
    definition = world.define(*containers)
    before = _modes(world, root, definition)
    put(root, "defaultLogDriverMode", "non-blocking")
    assert (before, _modes(world, root, definition)) == ([None, "blocking"], ["non-blocking", "blocking"])


def _modes(world: World, ctx: Context, definition: str) -> list[str | None]:
    """Of the containers of a new task: the mode that their engine was told."""
    (task,) = run_task(ctx, RunTaskRequest(definition)).tasks or []
    (record,) = [record for record in world.tasks() if record.arn == task.task_arn]
    bodies = dict(call.args for engine in world.engines.values() for call in engine.calls_of("create"))
    found = [bodies[state.engine_name]["HostConfig"]["LogConfig"]["Config"] for state in record.containers]
    return [options.get("mode") for options in found]
