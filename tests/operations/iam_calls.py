"""Calls actions of IAM with wire data, against IAM's published shapes; users with policies, for tests of access."""

from __future__ import annotations

import json
from typing import Any

import botocore.loaders
import botocore.model
import botocore.validate

from ecsctl.model.errors import ApiError
from ecsctl.model.record import decode, to_wire
from ecsctl.operations.access import Principal, authorize, find_key
from ecsctl.operations.actions import operation_of, shape_of
from ecsctl.operations.context import Context

IAM = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("iam", "service-2"), "iam")
HERE = "arn:aws:ecs:us-east-1:000000000000:"
_DOCUMENTS = ("PolicyDocument", "AssumeRolePolicyDocument", "Document")


def iam(ctx: Context, action: str, **request: Any) -> Any:
    """What an action answers. A document in a request may be an object."""
    texts = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in request.items()}
    validator = botocore.validate.ParamValidator()
    operation = IAM.operation_model(action)
    assert not validator.validate(texts, operation.input_shape).has_errors()
    answer = to_wire(operation_of(action)(ctx, decode(shape_of(action, "Request"), texts)))
    if operation.output_shape is None:
        assert answer == {}
    else:
        report = validator.validate(_with_texts(answer), operation.output_shape)
        assert not report.has_errors(), report.generate_report()
    return answer


def _with_texts(value: Any) -> Any:
    """Documents are text on the wire, and objects where the AWS CLI prints them."""
    if isinstance(value, list):
        return [_with_texts(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: json.dumps(one) if key in _DOCUMENTS else _with_texts(one) for key, one in value.items()}


def statement(**elements: Any) -> dict[str, Any]:
    """A policy of one statement: an Allow of everything but for what is said."""
    rest = {"Effect": "Allow", **({} if "NotAction" in elements else {"Action": "*"}), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [{**rest, **elements}]}


def policy_of(*statements: dict[str, Any]) -> dict[str, Any]:
    """One policy of several."""
    return {"Version": "2012-10-17", "Statement": [one for policy in statements for one in policy["Statement"]]}


def user(ctx: Context, policy: dict[str, Any] | None = None, name: str = "ann") -> Principal:
    """A user with that policy, as its key says who it is."""
    iam(ctx, "CreateUser", UserName=name)
    if policy is not None:
        may(ctx, policy, name)
    key = iam(ctx, "CreateAccessKey", UserName=name)["AccessKey"]
    found = find_key(ctx, key["AccessKeyId"])
    assert found is not None
    assert found.secret == key["SecretAccessKey"]
    return found.principal


def may(ctx: Context, policy: dict[str, Any], name: str = "ann") -> None:
    """From here on the user may do what the policy says."""
    iam(ctx, "PutUserPolicy", UserName=name, PolicyName="p", PolicyDocument=policy)


def call(ctx: Context, action: str, /, **request: Any) -> Any:
    return operation_of(action)(ctx, decode(shape_of(action, "Request"), request))


def register(ctx: Context, family: str = "app", *, privileged: bool = False, **fields: Any) -> None:
    container = {"name": "main", "image": "up", "memory": 16, "privileged": privileged}
    call(ctx, "RegisterTaskDefinition", **{"family": family, "containerDefinitions": [container], **fields})


def asks(ctx: Context, who: Principal, action: str, /, **request: Any) -> str:
    """What is said to who asks; empty where nothing is."""
    try:
        authorize(ctx, who, f"ecs:{action}", decode(shape_of(action, "Request"), request))
    except ApiError as error:
        assert error.code == "AccessDeniedException"
        return error.message
    return ""
