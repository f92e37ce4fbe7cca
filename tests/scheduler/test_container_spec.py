"""What a container is made of."""

from __future__ import annotations

import base64
import json
import zlib

from ecsctl.model import identity
from ecsctl.scheduler.container_spec import create_body
from tests.making import definition, task_of


def test_the_definition_on_the_label_has_no_values_that_may_be_secret() -> None:
    options = {"splunk-token": "s3cret"}
    made = definition(
        {
            "name": "main",
            "environment": [{"name": "TOKEN", "value": "s3cret"}],
            "logConfiguration": {"logDriver": "splunk", "options": options},
        }
    )
    body = create_body(task_of(made), made, "main", identity.Signature("install", lambda: b"key"))
    assert body["Env"] == ["TOKEN=s3cret", "AWS_EXECUTION_ENV=AWS_ECS_EC2"]
    assert body["HostConfig"]["LogConfig"]["Config"] == options
    label = zlib.decompress(base64.b64decode(body["Labels"][identity.TASK_DEFINITION]))
    assert b"s3cret" not in label
    assert json.loads(label)["containerDefinitions"][0]["environment"] == [{"name": "TOKEN"}]
