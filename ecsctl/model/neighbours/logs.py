"""CloudWatch Logs: what containers with the driver awslogs print. Times are milliseconds since 1970."""

from typing import Literal

from ecsctl.model.record import Record


class GetLogEventsRequest(Record):
    """What GetLogEvents takes. `unmask` changes nothing: nothing is masked."""

    log_stream_name: str
    log_group_name: str | None = None
    log_group_identifier: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    next_token: str | None = None
    limit: int | None = None
    start_from_head: bool | None = None
    unmask: bool | None = None


class OutputLogEvent(Record):
    """API_OutputLogEvent."""

    timestamp: int
    message: str
    ingestion_time: int


class GetLogEventsResponse(Record):
    """What GetLogEvents answers."""

    events: list[OutputLogEvent]
    next_forward_token: str
    next_backward_token: str


class FilterLogEventsRequest(Record):
    """What FilterLogEvents takes. `interleaved` and `unmask` change nothing: all is merged, and nothing is masked."""

    log_group_name: str | None = None
    log_group_identifier: str | None = None
    log_stream_names: list[str] | None = None
    log_stream_name_prefix: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    filter_pattern: str | None = None
    next_token: str | None = None
    limit: int | None = None
    start_from_head: bool | None = None
    interleaved: bool | None = None
    unmask: bool | None = None


class FilteredLogEvent(Record):
    """API_FilteredLogEvent."""

    log_stream_name: str
    timestamp: int
    message: str
    ingestion_time: int
    event_id: str


class SearchedLogStream(Record):
    """API_SearchedLogStream."""

    log_stream_name: str
    searched_completely: bool


class FilterLogEventsResponse(Record):
    """What FilterLogEvents answers. `searched_log_streams`: those that a host gives no more of, no others."""

    events: list[FilteredLogEvent]
    searched_log_streams: list[SearchedLogStream]
    next_token: str | None = None


class DescribeLogGroupsRequest(Record):
    """What DescribeLogGroups takes."""

    log_group_name_prefix: str | None = None
    log_group_name_pattern: str | None = None
    log_group_identifiers: list[str] | None = None
    log_group_class: str | None = None
    account_identifiers: list[str] | None = None
    include_linked_accounts: bool | None = None
    next_token: str | None = None
    limit: int | None = None


class LogGroup(Record):
    """API_LogGroup."""

    log_group_name: str
    arn: str
    log_group_arn: str
    creation_time: int
    metric_filter_count: int
    stored_bytes: int
    log_group_class: Literal["STANDARD"]


class DescribeLogGroupsResponse(Record):
    """What DescribeLogGroups answers."""

    log_groups: list[LogGroup]
    next_token: str | None = None


class DescribeLogStreamsRequest(Record):
    """What DescribeLogStreams takes."""

    log_group_name: str | None = None
    log_group_identifier: str | None = None
    log_stream_name_prefix: str | None = None
    order_by: Literal["LogStreamName", "LastEventTime"] | None = None
    descending: bool | None = None
    next_token: str | None = None
    limit: int | None = None


class LogStream(Record):
    """API_LogStream. The times of events are absent where there are none, or the host does not answer."""

    log_stream_name: str
    arn: str
    creation_time: int
    stored_bytes: int
    first_event_timestamp: int | None = None
    last_event_timestamp: int | None = None
    last_ingestion_time: int | None = None


class DescribeLogStreamsResponse(Record):
    """What DescribeLogStreams answers."""

    log_streams: list[LogStream]
    next_token: str | None = None


class CreateLogGroupRequest(Record):
    """What CreateLogGroup takes. Tags are recorded."""

    log_group_name: str
    tags: dict[str, str] | None = None
    log_group_class: Literal["STANDARD"] | None = None


class CreateLogGroupResponse(Record):
    """What CreateLogGroup answers: nothing."""


class ListTagsLogGroupRequest(Record):
    """What ListTagsLogGroup takes."""

    log_group_name: str


class ListTagsLogGroupResponse(Record):
    """What ListTagsLogGroup answers."""

    tags: dict[str, str]


class ListTagsForResourceRequest(Record):
    """What ListTagsForResource takes."""

    resource_arn: str


class ListTagsForResourceResponse(Record):
    """What ListTagsForResource answers."""

    tags: dict[str, str]


class StartLiveTailRequest(Record):
    """What StartLiveTail takes."""

    log_group_identifiers: list[str]
    log_stream_names: list[str] | None = None
    log_stream_name_prefixes: list[str] | None = None
    log_event_filter_pattern: str | None = None


class LiveTailSessionStart(Record):
    """API_LiveTailSessionStart: the first event of a session."""

    request_id: str
    session_id: str
    log_group_identifiers: list[str]
    log_stream_names: list[str]
    log_stream_name_prefixes: list[str]
    log_event_filter_pattern: str


class LiveTailSessionLogEvent(Record):
    """API_LiveTailSessionLogEvent."""

    log_stream_name: str
    log_group_identifier: str
    message: str
    timestamp: int
    ingestion_time: int


class LiveTailSessionMetadata(Record):
    """API_LiveTailSessionMetadata. `sampled`: there was more in this second than is told."""

    sampled: bool


class LiveTailSessionUpdate(Record):
    """API_LiveTailSessionUpdate: the event of each second."""

    session_metadata: LiveTailSessionMetadata
    session_results: list[LiveTailSessionLogEvent]
