"""Secrets, parameters and images, by the services that have them on AWS."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecsctl.operations.secrets import delete_secret, put_secrets
from ecsctl.store.secret_table import SECRETS
from tests.controller.world import World
from tests.server.neighbourhood import Neighbourhood, neighbourhood
from tests.server.running import Running, client

ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:prod/db/password"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    with neighbourhood(tmp_path_factory.mktemp("stores")) as made:
        yield made


def code(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(caught.value.response["Error"]["Code"])


def test_a_secret_is_had_by_name_arn_stage_and_version(place: Neighbourhood) -> None:
    get = place.client("secretsmanager").get_secret_value
    for name in ("prod/db/password", ARN, f"{ARN}-a1B2c3"):
        answer = get(SecretId=name)
        assert (answer["SecretString"], answer["Name"]) == ("hunter2", "prod/db/password")
        assert re.fullmatch(f"{ARN}-[0-9a-f]{{6}}", answer["ARN"])
        assert get(SecretId=answer["ARN"])["VersionId"] == answer["VersionId"]
        assert answer["VersionStages"] == ["AWSCURRENT"]
    old = get(SecretId="plain", VersionStage="AWSPREVIOUS")
    assert (old["SecretString"], get(SecretId="plain")["SecretString"]) == ("old", "new")
    assert get(SecretId="plain", VersionId=old["VersionId"])["SecretString"] == "old"
    for wrong in (
        {"SecretId": "no"},
        {"SecretId": "../x"},
        {"SecretId": "arn:aws:s3:::x"},
        {"SecretId": "plain", "VersionStage": "AWSPENDING"},
        {"SecretId": "plain", "VersionId": old["VersionId"], "VersionStage": "AWSCURRENT"},
    ):
        assert code(get, **wrong) == "ResourceNotFoundException"


def test_secrets_are_listed_in_pages_without_their_values(place: Neighbourhood) -> None:
    secrets = place.client("secretsmanager")
    pages = list(secrets.get_paginator("list_secrets").paginate(SortBy="name", PaginationConfig={"PageSize": 1}))
    found = [secret for page in pages for secret in page["SecretList"]]
    assert [secret["Name"] for secret in found] == ["plain", "prod/db/password", "prod/region", "registry"]
    assert len(pages) == len(found)
    assert found[1]["ARN"] == secrets.get_secret_value(SecretId="prod/db/password")["ARN"]
    stages = sorted(stage for stages in found[0]["SecretVersionsToStages"].values() for stage in stages)
    assert stages == ["AWSCURRENT", "AWSPREVIOUS"]
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("by", ["name", "created-date", "last-changed-date"])
def test_secrets_that_are_deleted_as_one_goes_hide_no_others(by: str, order: str, place: Neighbourhood) -> None:
    for name in ("leaving/b", "leaving/a", "leaving/c"):
        put_secrets(place.world.process(), {name: "x"})
        place.world.clock.seconds += 1
    put_secrets(place.world.process(), {"leaving/b": "y"})
    pages = place.client("secretsmanager").get_paginator("list_secrets")
    asked = {"SortBy": by, "SortOrder": order, "Filters": [{"Key": "name", "Values": ["leaving/"]}]}
    seen = []
    for page in pages.paginate(**asked, PaginationConfig={"PageSize": 1}):
        for secret in page["SecretList"]:
            seen.append(secret["Name"][-1])
            delete_secret(place.world.process(), secret["Name"])
    rising = {"name": "abc", "created-date": "bac", "last-changed-date": "acb"}[by]
    assert "".join(seen) == (rising if order == "asc" else rising[::-1])


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": ["prod/d", "pl"]}, {"plain", "prod/db/password"}),
        ({"name": ["Prod"]}, set()),
        ({"name": ["!prod/"]}, {"plain", "registry"}),
        ({"all": ["PASS moon"]}, {"prod/db/password"}),
        ({"name": ["prod"], "all": ["region"]}, {"prod/region"}),
        ({"tag-key": ["dagster"]}, set()),
        ({"tag-key": ["!dagster"]}, {"plain", "prod/db/password", "prod/region", "registry"}),
    ],
)
def test_secrets_are_filtered_by_what_is_known_of_them(
    filters: dict[str, list[str]], names: set[str], place: Neighbourhood
) -> None:
    asked = [{"Key": key, "Values": values} for key, values in filters.items()]
    found = place.client("secretsmanager").list_secrets(Filters=asked)["SecretList"]
    assert {secret["Name"] for secret in found} == names


def test_a_parameter_is_had_by_name_arn_and_number(place: Neighbourhood) -> None:
    get = place.client("ssm").get_parameter
    for name in ("/prod/db/password", "arn:aws:ssm:us-east-1:000000000000:parameter/prod/db/password"):
        found = get(Name=name, WithDecryption=True)["Parameter"]
        assert (found["Value"], found["Name"], found["Type"]) == ("hunter2", "/prod/db/password", "SecureString")
        assert found["ARN"] == "arn:aws:ssm:us-east-1:000000000000:parameter/prod/db/password"
    numbered = get(Name="plain:1", WithDecryption=True)["Parameter"]
    assert (numbered["Value"], numbered["Version"], numbered["Selector"], numbered["Name"]) == ("old", 1, ":1", "plain")
    assert get(Name="plain", WithDecryption=True)["Parameter"]["Version"] == 2
    assert code(get, Name="plain:3") == "ParameterVersionNotFound"
    assert code(get, Name="plain:latest") == "ParameterVersionNotFound"
    assert code(get, Name="/prod/no") == "ParameterNotFound"


def test_without_decryption_a_parameter_stays_sealed(place: Neighbourhood) -> None:
    with place.world.store.read() as view:
        secret = view.get(SECRETS, "prod/db/password")
    assert secret is not None
    ssm = place.client("ssm")
    values = [
        ssm.get_parameter(Name="/prod/db/password")["Parameter"]["Value"],
        ssm.get_parameters(Names=["/prod/db/password"])["Parameters"][0]["Value"],
        ssm.get_parameters_by_path(Path="/prod/db")["Parameters"][0]["Value"],
    ]
    assert values == [secret.versions[0].sealed] * 3


def test_parameters_under_a_path_come_in_pages(place: Neighbourhood) -> None:
    ssm = place.client("ssm")
    pages = list(
        ssm.get_paginator("get_parameters_by_path").paginate(
            Path="/prod", Recursive=True, WithDecryption=True, PaginationConfig={"PageSize": 1}
        )
    )
    found = [parameter for page in pages for parameter in page["Parameters"]]
    assert {one["Name"]: one["Value"] for one in found} == {"/prod/db/password": "hunter2", "/prod/region": "moon"}
    assert len(pages) == 2
    shallow = ssm.get_parameters_by_path(Path="/prod/")["Parameters"]
    assert [parameter["Name"] for parameter in shallow] == ["/prod/region"]
    several = ssm.get_parameters(Names=["plain", "/no", "/prod/region"], WithDecryption=True)
    assert [parameter["Value"] for parameter in several["Parameters"]] == ["new", "moon"]
    assert several["InvalidParameters"] == ["/no"]
    assert code(ssm.get_parameters_by_path, Path="prod") == "ValidationException"
    assert code(ssm.get_parameters, Names=[str(n) for n in range(11)]) == "ValidationException"


def test_values_are_not_logged(place: Neighbourhood, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        place.client("ssm").get_parameter(Name="/prod/db/password", WithDecryption=True)
        place.client("secretsmanager").get_secret_value(SecretId="prod/db/password")
    lines = "\n".join(place.server.log)
    assert "ssm:GetParameter 200 OK" in lines
    assert "secretsmanager:GetSecretValue 200 OK" in lines
    assert "hunter2" not in lines + caplog.text
    assert "db/password" not in lines


def test_images_are_those_that_the_hosts_have(place: Neighbourhood) -> None:
    ecr = place.client("ecr")
    names = [repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]]
    assert {"up", "talker", "chatter"} <= set(names)
    (detail,) = ecr.describe_images(repositoryName="up", imageIds=[{"imageTag": "latest"}])["imageDetails"]
    assert detail["imageTags"] == ["latest"]
    ids = ecr.list_images(repositoryName="up", filter={"tagStatus": "TAGGED"})["imageIds"]
    assert [one["imageTag"] for one in ids] == ["latest"]
    assert code(ecr.describe_images, repositoryName="no") == "RepositoryNotFoundException"
    assert code(ecr.describe_repositories, repositoryNames=["no"]) == "RepositoryNotFoundException"
    missing = code(ecr.describe_images, repositoryName="up", imageIds=[{"imageTag": "9"}])
    assert missing == "ImageNotFoundException"
    assert code(ecr.list_images, repositoryName="up", registryId="123456789012") == "InvalidParameterException"
    for operation, field, more in (
        ("describe_repositories", "repositories", {}),
        ("list_images", "imageIds", {"repositoryName": "up"}),
        ("describe_images", "imageDetails", {"repositoryName": "up"}),
    ):
        pages = ecr.get_paginator(operation).paginate(**more, PaginationConfig={"PageSize": 1})
        assert [one for page in pages for one in page[field]] == getattr(ecr, operation)(**more)[field]
    scan = ecr.describe_image_scan_findings
    assert code(scan, repositoryName="up", imageId={"imageTag": "latest"}) == "ScanNotFoundException"
    assert code(scan, repositoryName="up", imageId={"imageTag": "9"}) == "ImageNotFoundException"
    assert code(scan, repositoryName="no", imageId={"imageTag": "latest"}) == "RepositoryNotFoundException"
    for engine in place.world.engines.values():
        engine.reachable = False
    try:
        with pytest.raises(ecr.exceptions.ServerException):
            ecr.list_images(repositoryName="up")
    finally:
        for engine in place.world.engines.values():
            engine.reachable = True


def test_the_login_of_the_registry_is_that_of_the_secret_which_is_configured(
    place: Neighbourhood, world: World, server: Running
) -> None:
    (told,) = place.client("ecr").get_authorization_token()["authorizationData"]
    assert base64.b64decode(told["authorizationToken"]) == b"AWS:letmein"
    assert told["proxyEndpoint"] == "https://registry.example:5000"
    assert "letmein" not in "\n".join(place.server.log)
    with client(server.path, "ecr") as elsewhere:
        assert code(elsewhere.get_authorization_token) == "UnsupportedOperationException"
