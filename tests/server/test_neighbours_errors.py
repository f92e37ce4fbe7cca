"""Every protocol has its own errors, which boto3 reads; and whatever is sent, there is one, never a server error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecsctl.operations.neighbours.actions import NEIGHBOURS
from ecsctl.operations.strict_json import MAX_BYTES
from ecsctl.server.asked import TARGETS, VERSIONS
from tests.server.neighbourhood import Neighbourhood, neighbourhood
from tests.server.running import Reply
from tests.server.shapes import least

SESSION = botocore.session.get_session()
OTHERS = {
    "autoscaling": "DescribeAutoScalingGroups",
    "batch": "ListJobs",
    "cloudformation": "DescribeStacks",
    "cloudwatch": "PutMetricData",
    "codepipeline": "ListPipelines",
    "dynamodb": "GetItem",
    "elb": "DescribeLoadBalancers",
    "eventbridgev2": "",
    "events": "PutRule",
    "iam": "PassRole",
    "kms": "Decrypt",
    "lambda": "Invoke",
    "route53": "ListHostedZones",
    "s3": "GetObject",
    "servicediscovery": "ListNamespaces",
    "sns": "Publish",
    "sqs": "ReceiveMessage",
}
"""Services that are not here, in each protocol that botocore speaks, and one of their operations."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    with neighbourhood(tmp_path_factory.mktemp("errors")) as made:
        yield made


@pytest.mark.parametrize("service", OTHERS)
def test_another_service_is_refused_by_name_in_its_protocol(service: str, place: Neighbourhood) -> None:
    model = SESSION.get_service_model(service)
    name = OTHERS[service] if OTHERS[service] in model.operation_names else sorted(model.operation_names)[0]
    with pytest.raises(ClientError) as caught:
        getattr(place.client(service), xform_name(name))(**least(model.operation_model(name).input_shape))
    response = caught.value.response
    assert response["Error"]["Code"].removesuffix("Exception") == "UnsupportedOperation"
    assert "is not supported by ecsctl" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    if model.resolved_protocol not in ("rest-json", "rest-xml"):
        assert name in response["Error"]["Message"]


def test_all_protocols_of_botocore_are_among_them() -> None:
    spoken = {SESSION.get_service_model(service).resolved_protocol for service in (*OTHERS, "ec2")}
    assert spoken == {"json", "rest-json", "rest-xml", "smithy-rpc-v2-cbor", "query", "ec2"}


def test_load_balancers_and_target_groups_are_not_found(place: Neighbourhood) -> None:
    elb = place.client("elbv2")
    arn = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/0123456789abcdef"
    with pytest.raises(elb.exceptions.LoadBalancerNotFoundException):
        elb.describe_load_balancers(Names=["web"])
    with pytest.raises(elb.exceptions.LoadBalancerNotFoundException):
        elb.describe_listeners(LoadBalancerArn=arn)
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        elb.describe_target_groups(TargetGroupArns=[arn, "b"])
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        elb.describe_target_health(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1", "Port": 80}])
    with pytest.raises(elb.exceptions.ListenerNotFoundException):
        elb.describe_rules(ListenerArn=arn)
    with pytest.raises(elb.exceptions.RuleNotFoundException):
        elb.describe_rules(RuleArns=[arn])
    with pytest.raises(elb.exceptions.LoadBalancerNotFoundException):
        elb.describe_load_balancer_attributes(LoadBalancerArn=arn)
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        elb.describe_target_group_attributes(TargetGroupArn=arn)
    with pytest.raises(elb.exceptions.ListenerNotFoundException):
        elb.describe_listener_attributes(ListenerArn=arn)
    with pytest.raises(elb.exceptions.SSLPolicyNotFoundException):
        elb.describe_ssl_policies(Names=["ELBSecurityPolicy-2016-08"])
    with pytest.raises(ClientError, match="ValidationError"):
        elb.describe_listeners()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("loadbalancer/app", "LoadBalancerNotFound"),
        ("targetgroup", "TargetGroupNotFound"),
        ("listener/app", "ListenerNotFound"),
        ("listener-rule/app", "RuleNotFound"),
        ("truststore", "TrustStoreNotFound"),
        ("moon", "ValidationError"),
    ],
)
def test_what_has_tags_on_aws_is_not_found_by_what_it_is(kind: str, code: str, place: Neighbourhood) -> None:
    arn = f"arn:aws:elasticloadbalancing:us-east-1:000000000000:{kind}/web/0123456789abcdef"
    with pytest.raises(ClientError) as caught:
        place.client("elbv2").describe_tags(ResourceArns=[arn])
    assert caught.value.response["Error"]["Code"] == code


def test_what_never_was_a_token_is_refused(place: Neighbourhood) -> None:
    scaling = place.client("application-autoscaling")
    with pytest.raises(scaling.exceptions.InvalidNextTokenException):
        scaling.describe_scalable_targets(ServiceNamespace="ecs", NextToken="x")


FORM = {"Content_Type": "application/x-www-form-urlencoded; charset=utf-8"}


def form(place: Neighbourhood, body: str | bytes, **headers: str) -> Reply:
    sent = body if isinstance(body, bytes) else body.encode()
    return place.server.send("POST", "/", sent, **(FORM | headers))


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("Action=DescribeSubnets&Version=2016-11-15&Color=red", "InvalidParameterValue", "parameter Color"),
        ("Action=DescribeSubnets&Version=2016-11-15&SubnetId=a", "InvalidParameterValue", "SubnetId"),
        ("Action=DescribeSubnets&Version=2016-11-15&SubnetId.x=a", "InvalidParameterValue", "SubnetId"),
        ("Action=DescribeSubnets&Version=2016-11-15&SubnetId.1.2=a", "InvalidParameterValue", "SubnetId.1"),
        ("Action=DescribeSubnets&Version=2016-11-15&SubnetId.1=a&SubnetId.1=b", "InvalidParameterValue", "twice"),
        ("Action=DescribeSubnets&Version=2016-11-15&MaxResults=ten", "InvalidParameterValue", "whole number"),
        ("Action=DescribeSubnets&Version=2016-11-15&MaxResults=5000", "InvalidParameterValue", "between"),
        ("Action=DescribeSubnets&Version=2016-11-15&Filter.1.Name=state", "InvalidParameterValue", "Values"),
        ("Action=DescribeSubnets&Version=2016-11-15&Filter.1=state", "InvalidParameterValue", "Filter.1"),
        ("Action=DescribeSubnets&Version=2016-11-15&a.b=1&a=2", "InvalidParameterValue", "a"),
        ("Action=DescribeLoadBalancers&Version=2015-12-01&Names.1=a", "ValidationError", "Names"),
        ("Action=DescribeLoadBalancers&Version=2015-12-01&Names=a", "ValidationError", "Names"),
        ("Action=DescribeTargetHealth&Version=2015-12-01", "ValidationError", "TargetGroupArn"),
        ("Action=DescribeRules&Version=2015-12-01&ListenerArn=%01%3Cb%3E", "ListenerNotFound", "&lt;b&gt;"),
        ("Action=GetCallerIdentity&Version=2011-06-15&x%00=1", "ValidationError", "is not the name"),
        ("Action=<b>&Version=2011-06-15", "UnsupportedOperation", "&lt;b&gt;"),
        ("Action=\0&Version=2011-06-15", "UnsupportedOperation", "x00"),
        ("Action=DescribeSubnets", "UnsupportedOperation", "DescribeSubnets of this service"),
        ("Action=DescribeVpcs&Version=2016-11-15&\xff", "InvalidParameterValue", "UTF-8"),
        ("", "UnsupportedOperation", "of this service"),
    ],
)
def test_a_form_with_something_wrong_is_refused_in_xml(body: str, code: str, said: str, place: Neighbourhood) -> None:
    reply = form(place, body.encode("latin-1"))
    assert reply.status == 400
    assert reply.headers["content-type"].startswith("text/xml")
    assert f"<Code>{code}</Code>" in reply.body.decode()
    assert said in reply.body.decode()
    ElementTree.fromstring(reply.body)  # noqa: S314 it is ours
    assert reply.headers["x-amzn-requestid"] in reply.body.decode()


def test_an_empty_list_of_the_query_protocol_is_one(place: Neighbourhood) -> None:
    assert form(place, "Action=DescribeLoadBalancers&Version=2015-12-01&Names=").status == 200


def test_a_request_that_is_too_large_is_refused_in_every_protocol(place: Neighbourhood) -> None:
    large = b"a" * (MAX_BYTES + 1)
    reply = place.server.send("POST", "/", large, X_Amz_Target="AmazonSSM.GetParameter")
    assert (reply.status, reply.json["__type"]) == (413, "RequestEntityTooLargeException")
    reply = form(place, large)
    assert (reply.status, b"<Code>RequestEntityTooLargeException</Code>" in reply.body) == (413, True)


def test_json_is_as_strict_as_of_ecs(place: Neighbourhood) -> None:
    for body, code in (
        (b'{"Name": "a", "Name": "b"}', "SerializationException"),
        (b'{"Name": 1}', "SerializationException"),
        (b'{"Name": "a", "Color": "red"}', "ValidationException"),
        (b"{}", "ValidationException"),
        (b"[]", "SerializationException"),
        (b"\xff", "SerializationException"),
    ):
        reply = place.server.send("POST", "/", body, X_Amz_Target="AmazonSSM.GetParameter")
        assert (reply.status, reply.json["__type"]) == (400, code)


def test_a_page_of_another_protocol_is_answered_in_that(place: Neighbourhood) -> None:
    signed = "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"
    rest = place.server.send("POST", "/", b"{}", Authorization=signed.format("lambda"))
    assert (rest.status, rest.headers["x-amzn-errortype"]) == (400, "UnsupportedOperationException")
    of_ecs = form(place, "Action=ListTasks&Version=2014-11-13", Authorization=signed.format("ecs"))
    assert of_ecs.json["__type"] == "UnknownOperationException"


def test_who_signs_for_nothing_gets_the_errors_of_ecs(place: Neighbourhood) -> None:
    for method, page in (("GET", "/nowhere"), ("PUT", "/"), ("GET", "/v1/things")):
        reply = place.server.send(method, page)
        assert reply.json["__type"] == "UnknownOperationException"


def test_the_log_and_the_metrics_have_words_of_our_own_only(place: Neighbourhood) -> None:
    strange = "Zz" * 20
    place.server.send("POST", "/", b"{}", X_Amz_Target=f"AmazonSSM.{strange}")
    place.server.send("POST", "/", b"{}", X_Amz_Target=f"{strange}.GetParameter")
    form(place, f"Action={strange}&Version=2016-11-15")
    metrics = place.server.send("GET", "/metrics").body.decode()
    assert strange not in metrics + "\n".join(place.server.log)
    assert 'operation="ssm:unknown"' in metrics


NAMES = [
    action for neighbour in NEIGHBOURS.values() for action in sorted(neighbour.actions) if "LiveTail" not in action
]
TEXT = st.one_of(
    st.sampled_from(("a", "", "plain", "/prod", "/ecs/app", "up", "x" * 3000, "\0", "0", "-1", "²", "é")),
    st.text(max_size=20),
)
VALUES = st.recursive(
    st.one_of(TEXT, st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=5,
)
MEMBERS = sorted(
    {
        member
        for room in NEIGHBOURS
        for action in NEIGHBOURS[room].actions
        for member in getattr(
            SESSION.get_service_model(room.replace("_", "-")).operation_model(action).input_shape, "members", ()
        )
    }
)
KEYS = st.one_of(st.sampled_from(MEMBERS), TEXT)
BODIES = st.one_of(
    st.dictionaries(KEYS, VALUES, max_size=5).map(json.dumps).map(str.encode),
    st.lists(
        st.tuples(
            st.sampled_from((*MEMBERS, "SubnetId", "Filter", "Name.member")),
            st.sampled_from(("", ".1", ".1.Name", ".member.1", ".x")),
            TEXT,
        ),
        max_size=4,
    ),
    st.binary(max_size=100),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    target=st.tuples(st.sampled_from((*TARGETS, "Foo", "")), st.sampled_from((*NAMES, "x", ""))),
    version=st.sampled_from((*VERSIONS, "2000-01-01")),
    body=BODIES,
    is_form=st.booleans(),
)
def test_garbage_is_refused_and_never_a_server_error(
    target: tuple[str, str], version: str, body: Any, is_form: bool, place: Neighbourhood
) -> None:
    if isinstance(body, list):
        body = "&".join(f"{name}{path}={value}" for name, path, value in body).encode()
    if is_form:
        reply = form(place, f"Action={target[1]}&Version={version}&".encode() + body)
        ElementTree.fromstring(reply.body)  # noqa: S314 it is ours
    else:
        reply = place.server.send("POST", "/", body, X_Amz_Target=".".join(target))
        assert isinstance(reply.json, dict)
    assert reply.status in (200, 400)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS")),
    page=st.sampled_from(
        ("/", "/bucket/key", "/2015-03-31/functions", "/service/A/operation/B", "/service//operation/")
    ),
    service=st.sampled_from(("s3", "lambda", "route53", "ecs", "x" * 70, "")),
    smithy=st.sampled_from(("rpc-v2-cbor", "")),
    body=st.binary(max_size=50),
)
def test_every_page_has_an_answer(
    method: str, page: str, service: str, smithy: str, body: bytes, place: Neighbourhood
) -> None:
    credential = f"AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host"
    reply = place.server.send(method, page, body, Authorization=credential, smithy_protocol=smithy)
    assert reply.status in (400, 404, 405)
