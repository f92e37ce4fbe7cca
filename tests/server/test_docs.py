"""What docs/serve.md has to copy works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.server.running import Running

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "serve.md").read_text()


def test_boto3_reaches_the_socket_as_the_page_says(server: Running) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(program.replace("/run/ecs.sock", str(server.path)), names)  # noqa: S102 it is ours
    ecs = names["ecs"]
    assert ecs.list_clusters()["clusterArns"] == ["arn:aws:ecs:us-east-1:000000000000:cluster/default"]
    with pytest.raises(ClientError, match="Cluster not found"):
        ecs.list_tasks(cluster="no")
    ecs.close()
