"""What docs/serve.md and docs/clients.md have to copy works."""

from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.server.running import Running

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "serve.md").read_text()


def test_boto3_reaches_the_socket_as_the_page_says(server: Running) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(program.replace("/run/ecs.sock", str(server.path)), names)  # noqa: S102 it is ours
    ecs = names["ecs"]
    assert ecs.list_clusters()["clusterArns"] == ["arn:aws:ecs:us-east-1:000000000000:cluster/default"]
    with pytest.raises(ClientError, match="Cluster not found"):
        ecs.list_tasks(cluster="no")
    ecs.close()


@pytest.mark.parametrize("page", ["serve.md", "clients.md"])
def test_the_environment_of_the_page_is_all_that_clients_need(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = re.findall(r"^ +export (.*)$", (DOCS / page).read_text(), re.MULTILINE)
    there = dict(word.split("=", 1) for line in exports for word in line.partition("    #")[0].split())
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in there.keys() - {"AWS_CA_BUNDLE"}:
        monkeypatch.setenv(name, there[name])
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    session = boto3.Session()
    assert session.get_credentials() is not None
    with closing(session.client("ecs")) as ecs:
        assert (ecs.meta.region_name, ecs.meta.endpoint_url) == ("us-east-1", there["AWS_ENDPOINT_URL_ECS"])
    assert there["AWS_REGION"] == "us-east-1", "for SDKs of other languages"
