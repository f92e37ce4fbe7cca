"""Lists are gathered page after page, or cut and continued, as in the AWS CLI."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import botocore.loaders
import pytest

from ecsctl.cli.action import Action
from ecsctl.cli.commands import COMMANDS
from ecsctl.cli.paging import every_page, is_paged
from ecsctl.cli.problems import UsageError
from ecsctl.model.api.clusters import ListClustersRequest, ListClustersResponse
from tests.cli.running import Runner

NAMES = [f"c{number}" for number in range(7)]


@pytest.fixture
def service() -> Callable[[ListClustersRequest], ListClustersResponse]:
    def list_clusters(request: ListClustersRequest) -> ListClustersResponse:
        start, size = int(request.next_token or 0), request.max_results or 3
        more = str(start + size) if start + size < len(NAMES) else None
        return ListClustersResponse(cluster_arns=NAMES[start : start + size], next_token=more)

    return list_clusters


def gather(service: Any, **values: str) -> dict[str, Any]:
    return every_page(service, ListClustersRequest(), ListClustersResponse, values)


def test_all_pages_are_one_list(service: Any) -> None:
    assert gather(service) == {"clusterArns": NAMES}
    assert gather(service, page_size="1") == {"clusterArns": NAMES}


@pytest.mark.parametrize("size", ["1", "2", "3", "4", "7", "8"])
@pytest.mark.parametrize("page", ["1", "2", "3", "10"])
def test_a_cut_list_goes_on_where_it_ended(service: Any, size: str, page: str) -> None:
    found, token = [], ""
    for _ in range(len(NAMES) + 1):
        part = gather(service, max_items=size, page_size=page, starting_token=token)
        assert len(part["clusterArns"]) <= int(size)
        found += part["clusterArns"]
        token = part.get("NextToken", "")
        if not token:
            break
    assert found == NAMES


def test_a_token_of_the_service_itself_is_taken(service: Any) -> None:
    assert gather(service, starting_token="5") == {"clusterArns": ["c5", "c6"]}


@pytest.mark.parametrize(("name", "value"), [("max_items", "-1"), ("page_size", "0"), ("max_items", "x")])
def test_numbers_that_make_no_sense_are_refused(service: Any, name: str, value: str) -> None:
    with pytest.raises(UsageError):
        gather(service, **{name: value})


def test_paging_by_hand_shows_the_token_of_the_service(ecsctl: Runner) -> None:
    for name in ("a", "b"):
        assert ecsctl("create-cluster", "--cluster-name", name).code == 0
    assert len(json.loads(ecsctl("list-clusters", "--page-size", "1").out)["clusterArns"]) == 3
    first = json.loads(ecsctl("list-clusters", "--max-results", "2").out)
    assert len(first["clusterArns"]) == 2
    second = json.loads(ecsctl("list-clusters", "--next-token", first["nextToken"]).out)
    assert len(second["clusterArns"]) == 1
    cut = json.loads(ecsctl("list-clusters", "--max-items", "2").out)
    rest = json.loads(ecsctl("list-clusters", "--starting-token", cut["NextToken"]).out)
    assert len({*cut["clusterArns"], *rest["clusterArns"]}) == 3


def test_pages_are_gathered_where_the_aws_cli_gathers_them() -> None:
    loader = botocore.loaders.Loader()
    known = loader.load_service_model("ecs", "paginators-1")["pagination"]
    served = loader.load_service_model("ecs", "service-2")["operations"]
    actions = [Action(entry) for entry in COMMANDS.values() if entry.action in served]
    gathered = {one.entry.action for one in actions if is_paged(one.entry.action, one.request_type)}
    assert gathered == known.keys() & {one.entry.action for one in actions}


def test_capacity_providers_that_are_missing_are_told(ecsctl: Runner) -> None:
    answer = json.loads(ecsctl("describe-capacity-providers", "--capacity-providers", "FARGATE", "none").out)
    assert [provider["name"] for provider in answer["capacityProviders"]] == ["FARGATE"]
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
