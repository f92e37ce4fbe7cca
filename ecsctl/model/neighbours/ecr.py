"""ECR: the images that hosts have. Digests are absent for images that no registry has seen."""

from datetime import datetime
from typing import Literal

from ecsctl.model.record import Record

TagStatus = Literal["TAGGED", "UNTAGGED", "ANY"]


class GetAuthorizationTokenRequest(Record):
    """What GetAuthorizationToken takes."""

    registry_ids: list[str] | None = None


class AuthorizationData(Record):
    """API_AuthorizationData. The token is `username:password` in base64."""

    authorization_token: str
    expires_at: datetime
    proxy_endpoint: str


class GetAuthorizationTokenResponse(Record):
    """What GetAuthorizationToken answers."""

    authorization_data: list[AuthorizationData]


class DescribeRepositoriesRequest(Record):
    """What DescribeRepositories takes."""

    registry_id: str | None = None
    repository_names: list[str] | None = None
    next_token: str | None = None
    max_results: int | None = None


class Repository(Record):
    """API_Repository. Its URI is what a task definition has as its image, without tag."""

    repository_arn: str
    registry_id: str
    repository_name: str
    repository_uri: str
    image_tag_mutability: Literal["MUTABLE"]


class DescribeRepositoriesResponse(Record):
    """What DescribeRepositories answers."""

    repositories: list[Repository]
    next_token: str | None = None


class ImageFilter(Record):
    """API_ListImagesFilter, API_DescribeImagesFilter."""

    tag_status: TagStatus | None = None


class ImageIdentifier(Record):
    """API_ImageIdentifier."""

    image_digest: str | None = None
    image_tag: str | None = None


class ListImagesRequest(Record):
    """What ListImages takes."""

    repository_name: str
    registry_id: str | None = None
    filter: ImageFilter | None = None
    next_token: str | None = None
    max_results: int | None = None


class ListImagesResponse(Record):
    """What ListImages answers."""

    image_ids: list[ImageIdentifier]
    next_token: str | None = None


class DescribeImagesRequest(ListImagesRequest):
    """What DescribeImages takes."""

    image_ids: list[ImageIdentifier] | None = None


class ImageDetail(Record):
    """API_ImageDetail."""

    registry_id: str
    repository_name: str
    image_size_in_bytes: int
    image_digest: str | None = None
    image_tags: list[str] | None = None


class DescribeImagesResponse(Record):
    """What DescribeImages answers."""

    image_details: list[ImageDetail]
    next_token: str | None = None


class DescribeRegistryRequest(Record):
    """What DescribeRegistry takes."""


class ReplicationConfiguration(Record):
    """API_ReplicationConfiguration: nothing is replicated."""

    rules: list[str]


class DescribeRegistryResponse(Record):
    """What DescribeRegistry answers."""

    registry_id: str
    replication_configuration: ReplicationConfiguration


class DescribeImageScanFindingsRequest(Record):
    """What DescribeImageScanFindings takes."""

    repository_name: str
    image_id: ImageIdentifier
    registry_id: str | None = None
    next_token: str | None = None
    max_results: int | None = None


class DescribeImageScanFindingsResponse(Record):
    """What DescribeImageScanFindings would answer."""

    image_id: ImageIdentifier
