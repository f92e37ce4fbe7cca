"""The images that the hosts have, as ECR describes those of a registry (ECR API reference).

A repository is called as images in task definitions are, with its registry in front unless that is ECR's own; its URI
is what a task definition may say. Hosts that do not answer are left out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from ecsctl.controller.together import together
from ecsctl.model.arn import Arn
from ecsctl.model.errors import ApiError, EngineError, SecretUnavailable
from ecsctl.model.neighbours.ecr import (
    AuthorizationData,
    DescribeImageScanFindingsRequest,
    DescribeImageScanFindingsResponse,
    DescribeImagesRequest,
    DescribeImagesResponse,
    DescribeRegistryRequest,
    DescribeRegistryResponse,
    DescribeRepositoriesRequest,
    DescribeRepositoriesResponse,
    GetAuthorizationTokenRequest,
    GetAuthorizationTokenResponse,
    ImageDetail,
    ImageIdentifier,
    ListImagesRequest,
    ListImagesResponse,
    ReplicationConfiguration,
    Repository,
)
from ecsctl.model.observed import ObservedImage
from ecsctl.model.record import Record
from ecsctl.model.stored import InstanceRecord
from ecsctl.operations.context import Context
from ecsctl.operations.images import AT_ONCE
from ecsctl.operations.neighbours.paging import window
from ecsctl.operations.pages import Number, Text, itself, page
from ecsctl.store.store import Place
from ecsctl.store.tables import CLUSTERS, INSTANCES

_MOST = 1000
_VALID = timedelta(hours=12)
"""How long a login is said to be good (GetAuthorizationToken): clients then ask again."""
_REGISTRY = re.compile(r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")


class _Image(NamedTuple):
    """An image by one of its repositories."""

    uri: str
    digest: str | None
    tags: tuple[str, ...]
    size: int

    @property
    def repository(self) -> str:
        return _REGISTRY.sub("", self.uri, count=1)


def resources(ctx: Context, request: Record) -> list[str]:
    """The ARNs of the repositories that are asked for."""
    if isinstance(request, GetAuthorizationTokenRequest | DescribeRegistryRequest):
        return ["*"]
    if isinstance(request, DescribeRepositoriesRequest):
        return [_arn(ctx, name) for name in request.repository_names or ["*"]]
    return [_arn(ctx, getattr(request, "repository_name", "*"))]


def get_authorization_token(ctx: Context, request: GetAuthorizationTokenRequest) -> GetAuthorizationTokenResponse:
    """The login of the registry that stands for ECR, as configured (GetAuthorizationToken)."""
    for registry in request.registry_ids or ():
        _check(ctx, registry)
    known = ctx.controller.registry
    if known is None:
        raise ApiError(
            "UnsupportedOperationException",
            "GetAuthorizationToken of ECR is not supported by ecsctl where no registry is configured (registry, "
            "registry_login); `ecsctl image push` sends an image to hosts without one.",
        )
    address, secret = known
    try:
        login = ctx.controller.secrets().login_in(secret)
    except SecretUnavailable as error:
        raise ApiError("ServerException", f"the login of the registry {address} is not to be had: {error}") from None
    told = AuthorizationData(
        authorization_token=base64.b64encode(f"{login.username}:{login.password}".encode()).decode(),
        expires_at=ctx.now() + _VALID,
        proxy_endpoint=f"https://{address}",
    )
    return GetAuthorizationTokenResponse(authorization_data=[told])


def describe_registry(ctx: Context, _: DescribeRegistryRequest) -> DescribeRegistryResponse:
    """That nothing is replicated (DescribeRegistry)."""
    return DescribeRegistryResponse(
        registry_id=ctx.scope.account, replication_configuration=ReplicationConfiguration(rules=[])
    )


def describe_repositories(ctx: Context, request: DescribeRepositoriesRequest) -> DescribeRepositoriesResponse:
    """Those that an image on a host is of (DescribeRepositories)."""
    _check(ctx, request.registry_id)
    known = {image.repository: image.uri for image in _images(ctx)}
    for name in request.repository_names or ():
        _there(ctx, name, known)
    part = window(request.next_token, request.max_results, _MOST)
    found, more = page({*(request.repository_names or known)}, itself, part)
    repositories = [
        Repository(
            repository_arn=_arn(ctx, name),
            registry_id=ctx.scope.account,
            repository_name=name,
            repository_uri=known[name],
            image_tag_mutability="MUTABLE",
        )
        for name in found
    ]
    return DescribeRepositoriesResponse(repositories=repositories, next_token=more)


def list_images(ctx: Context, request: ListImagesRequest) -> ListImagesResponse:
    """The tags and digests of a repository (ListImages)."""
    ids = {(image.digest or "", tag) for image in _of(ctx, request) for tag in image.tags or ("",)}
    part = window(request.next_token, request.max_results, _MOST, tuple[Text, Text])
    found, more = page(ids, tuple, part)
    listed = [ImageIdentifier(image_digest=digest or None, image_tag=tag or None) for digest, tag in found]
    return ListImagesResponse(image_ids=listed, next_token=more)


def describe_images(ctx: Context, request: DescribeImagesRequest) -> DescribeImagesResponse:
    """The images of a repository, or those that are named (DescribeImages)."""
    images = _of(ctx, request)
    for wanted in request.image_ids or ():
        _among(images, wanted, request.repository_name)
    chosen = [
        image for image in images if not request.image_ids or any(_is(image, wanted) for wanted in request.image_ids)
    ]
    part = window(request.next_token, request.max_results, _MOST, tuple[Text, Text, Text, Number])
    found, more = page(chosen, _place, part)
    details = [
        ImageDetail(
            registry_id=ctx.scope.account,
            repository_name=image.repository,
            image_size_in_bytes=image.size,
            image_digest=image.digest,
            image_tags=[*image.tags] or None,
        )
        for image in found
    ]
    return DescribeImagesResponse(image_details=details, next_token=more)


def _place(image: _Image) -> Place:
    return image.uri, image.digest or "", " ".join(image.tags), image.size


def describe_image_scan_findings(
    ctx: Context, request: DescribeImageScanFindingsRequest
) -> DescribeImageScanFindingsResponse:
    """That the image was not scanned (DescribeImageScanFindings)."""
    where = ListImagesRequest(repository_name=request.repository_name, registry_id=request.registry_id)
    named = _among(_of(ctx, where), request.image_id, request.repository_name)
    raise ApiError("ScanNotFoundException", f"There is no scan of the image {named!r}: ecsctl scans none")


def _among(images: Sequence[_Image], wanted: ImageIdentifier, repository: str) -> str:
    """What an image is called. ImageNotFoundException where it is not one of those."""
    named = (wanted.image_tag or wanted.image_digest or "")[:150]
    if not any(_is(image, wanted) for image in images):
        message = f"The image {named!r} does not exist within the repository {repository[:150]!r}"
        raise ApiError("ImageNotFoundException", message)
    return named


def _is(image: _Image, wanted: ImageIdentifier) -> bool:
    if not wanted.image_tag and not wanted.image_digest:
        return False
    return wanted.image_tag in (None, *image.tags) and wanted.image_digest in (None, image.digest)


def _of(ctx: Context, request: ListImagesRequest) -> list[_Image]:
    """The images of the repository that pass the filter."""
    _check(ctx, request.registry_id)
    every = _images(ctx)
    _there(ctx, request.repository_name, {image.repository for image in every})
    status = request.filter.tag_status if request.filter else None
    kinds = {"TAGGED": (True,), "UNTAGGED": (False,)}.get(status or "ANY", (True, False))
    return [image for image in every if image.repository == request.repository_name and bool(image.tags) in kinds]


def _images(ctx: Context) -> list[_Image]:
    """Of all hosts of the region, each once. ServerException when no host answers."""
    with ctx.store.read() as view:
        clusters = [str(one.cluster_arn) for one in view.find(CLUSTERS, scope=ctx.scope.key, status="ACTIVE")]
        hosts = [
            host
            for cluster in clusters
            for host in view.find(INSTANCES, cluster=cluster, status=("ACTIVE", "DRAINING"))
        ]
    answers = together([partial(_asked, ctx, host) for host in hosts], AT_ONCE)
    told = [answer for answer in answers if not isinstance(answer, EngineError | None)]
    if hosts and not told:
        raise ApiError("ServerException", f"no host answers: {answers[0]}")
    return sorted({image for observed in told for one in observed for image in _by_repository(one)}, key=_place)


def _asked(ctx: Context, host: InstanceRecord) -> Sequence[ObservedImage] | EngineError:
    try:
        return ctx.controller.engine(host.address).list_images()
    except EngineError as error:
        return error


def _by_repository(image: ObservedImage) -> Iterator[_Image]:
    tags: dict[str, list[str]] = {}
    digests = dict(digest.split("@", 1) for digest in image.digests if "@" in digest)
    for name in image.tags:
        repository, _, tag = name.rpartition(":")
        tags.setdefault(repository, []).append(tag)
    for repository in {*tags, *digests}:
        yield _Image(repository, digests.get(repository), tuple(sorted(tags.get(repository, ()))), image.size)


def _there(ctx: Context, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ApiError(
            "RepositoryNotFoundException",
            f"The repository with name {name[:200]!r} does not exist in the registry with id {ctx.scope.account!r}: "
            "no host has an image of it",
        )


def _check(ctx: Context, registry: str | None) -> None:
    if registry not in (None, ctx.scope.account):
        raise ApiError("InvalidParameterException", f"There is no registry {registry!r}: it is {ctx.scope.account}.")


def _arn(ctx: Context, name: str) -> str:
    return str(Arn("aws", "ecr", ctx.scope.region, ctx.scope.account, f"repository/{name}"))
