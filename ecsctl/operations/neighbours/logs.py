"""CloudWatch Logs over what containers with the driver awslogs print (CloudWatch Logs API reference).

What the engines still have comes from there, the rest from the logs that are kept beside the state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from ecsctl.model.arn import Arn
from ecsctl.model.errors import ApiError, EngineError, InputError
from ecsctl.model.neighbours.logs import (
    CreateLogGroupRequest,
    CreateLogGroupResponse,
    DescribeLogGroupsRequest,
    DescribeLogGroupsResponse,
    DescribeLogStreamsRequest,
    DescribeLogStreamsResponse,
    FilteredLogEvent,
    FilterLogEventsRequest,
    FilterLogEventsResponse,
    GetLogEventsRequest,
    GetLogEventsResponse,
    ListTagsForResourceRequest,
    ListTagsForResourceResponse,
    ListTagsLogGroupRequest,
    ListTagsLogGroupResponse,
    LogGroup,
    LogStream,
    OutputLogEvent,
    SearchedLogStream,
    StartLiveTailRequest,
)
from ecsctl.model.record import Record, evolve
from ecsctl.model.timestamps import unix_time
from ecsctl.operations import pages
from ecsctl.operations.context import Context
from ecsctl.operations.logs import Problem, Source, groups_known
from ecsctl.operations.neighbours.live_tail import LiveTail
from ecsctl.operations.neighbours.log_lines import (
    MOST,
    Line,
    Page,
    Place,
    Span,
    check_group,
    first_place,
    group_named,
    lines,
    no_such_group,
    passes_of,
    place_behind,
    place_named,
    sources_of,
    token_of,
)
from ecsctl.operations.neighbours.paging import window
from ecsctl.store.log_store import KeptGroup, LogStore

_PAGE = 50
"""Groups or streams of one answer."""
_MOST_GROUPS = 10
"""Of a live tail."""
_SEARCH = 10.0
"""Seconds that are searched for an answer, which then says where to go on, whether or not there is something in it."""
_END: Place = (9**20, 0)


def resources(ctx: Context, request: Record) -> list[str]:
    """The ARNs of the groups, or of the stream, that a request is about."""
    if isinstance(request, StartLiveTailRequest):
        return [_arn(ctx, group_named(None, name)) for name in request.log_group_identifiers]
    if isinstance(request, ListTagsForResourceRequest):
        return [_arn(ctx, group_named(None, request.resource_arn))]
    if isinstance(request, CreateLogGroupRequest | ListTagsLogGroupRequest):
        return [f"{_arn(ctx, check_group(request.log_group_name))}:*"]
    if not isinstance(request, GetLogEventsRequest | FilterLogEventsRequest | DescribeLogStreamsRequest):
        return [_arn(ctx, "*")]
    group = _arn(ctx, group_named(request.log_group_name, request.log_group_identifier))
    if isinstance(request, GetLogEventsRequest):
        return [f"{group}:log-stream:{request.log_stream_name}"]
    return [f"{group}:*"]


def get_log_events(ctx: Context, request: GetLogEventsRequest) -> GetLogEventsResponse:
    """Events of one stream: its last, or from its head on, and from there with tokens in both directions. At the end
    the token is the one that was given (GetLogEvents)."""
    group = group_named(request.log_group_name, request.log_group_identifier)
    page, span = Page(request.limit), Span.of(request.start_time, request.end_time)
    direction, place = place_named(request.next_token) or ("f" if request.start_from_head else "b", None)
    sources = [one for one in sources_of(ctx, group) if one.place and one.place.stream == request.log_stream_name]
    if not sources:
        raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
    problems: list[Problem] = []
    start: Place = (span.start * 10**6, 0)
    if direction == "f":
        place = place or start
        for line in lines(ctx, sources, span, place, problems):
            if not page.add(line):
                break
        found = page.lines
    else:
        before = place or _END
        place = place or start
        last: deque[Line] = deque(maxlen=request.limit or MOST)
        for line in lines(ctx, sources, span, start, problems):
            if line.place >= before:
                break
            last.append(line)
        for line in reversed(last):
            if not page.add(line):
                break
        found = page.lines[::-1]
    if problems:
        raise ApiError("ServiceUnavailableException", str(problems[0][1]))
    return GetLogEventsResponse(
        events=[OutputLogEvent(line.milliseconds, line.text, line.milliseconds) for line in found],
        next_forward_token=token_of("f", place_behind(found, place)),
        next_backward_token=token_of("b", first_place(found, place)),
    )


def filter_log_events(ctx: Context, request: FilterLogEventsRequest) -> FilterLogEventsResponse:
    """Events of all streams of a group, or of some, that a pattern matches, by time (FilterLogEvents)."""
    group = group_named(request.log_group_name, request.log_group_identifier)
    if request.start_from_head is False:
        raise InputError("startFromHead: false is not supported by ecsctl: events come by time.")
    if request.log_stream_names is not None and request.log_stream_name_prefix is not None:
        raise InputError("logStreamNames and logStreamNamePrefix cannot both be given.")
    passes = passes_of(request.filter_pattern)
    page = Page(request.limit)
    # The end belongs to it, other than in GetLogEvents.
    span = Span.of(request.start_time, None if request.end_time is None else request.end_time + 1)
    _, begin = place_named(request.next_token) or ("f", (0, 0))
    chosen = [one for one in sources_of(ctx, group) if _is_chosen(one, request)]
    problems: list[Problem] = []
    more: str | None = None
    clock = ctx.controller.clock
    until = clock.since_boot() + _SEARCH
    for line in lines(ctx, chosen, span, begin, problems):
        if passes(line.text) and not page.add(line):
            more = token_of("f", line.place)
            break
        if clock.since_boot() > until:
            more = token_of("f", place_behind([line], line.place))
            break
    silent = sorted({source.place.stream for source, _ in problems if source.place})
    return FilterLogEventsResponse(
        events=[
            FilteredLogEvent(line.stream, line.milliseconds, line.text, line.milliseconds, line.id)
            for line in page.lines
        ],
        searched_log_streams=[SearchedLogStream(stream, searched_completely=False) for stream in silent],
        next_token=more,
    )


def describe_log_groups(ctx: Context, request: DescribeLogGroupsRequest) -> DescribeLogGroupsResponse:
    """Those that tasks log to, of which something is kept, or that were made (DescribeLogGroups)."""
    if request.log_group_name_prefix is not None and request.log_group_name_pattern is not None:
        raise InputError("logGroupNamePrefix and logGroupNamePattern cannot both be given.")
    wanted = {group_named(None, name) for name in request.log_group_identifiers or ()}
    accounts = request.account_identifiers or [ctx.scope.account]
    is_here = ctx.scope.account in accounts and request.log_group_class in (None, "STANDARD")
    found = [
        group
        for name, group in _groups(ctx).items()
        if is_here
        and name.startswith(request.log_group_name_prefix or "")
        and (request.log_group_name_pattern or "") in name
        and (not wanted or name in wanted)
    ]
    part = window(request.next_token, request.limit, _PAGE)
    listed, more = pages.page(found, lambda group: (group.name,), part)
    return DescribeLogGroupsResponse(
        log_groups=[
            LogGroup(
                log_group_name=group.name,
                arn=f"{_arn(ctx, group.name)}:*",
                log_group_arn=_arn(ctx, group.name),
                creation_time=_milliseconds(group.created_at),
                metric_filter_count=0,
                stored_bytes=group.size,
                log_group_class="STANDARD",
            )
            for group in listed
        ],
        next_token=more,
    )


def describe_log_streams(ctx: Context, request: DescribeLogStreamsRequest) -> DescribeLogStreamsResponse:
    """The streams of a group, by name or by when something was last said (DescribeLogStreams)."""
    group = group_named(request.log_group_name, request.log_group_identifier)
    by_time = request.order_by == "LastEventTime"
    if by_time and request.log_stream_name_prefix is not None:
        raise InputError("Cannot order by LastEventTime with a logStreamNamePrefix.")
    streams: dict[str, list[Source]] = {}
    for source in sources_of(ctx, group):
        if source.place and source.place.stream.startswith(request.log_stream_name_prefix or ""):
            streams.setdefault(source.place.stream, []).append(source)
    falling = bool(request.descending)
    if by_time:
        every = [_stream(ctx, group, name, streams[name]) for name in streams]
        part = window(request.next_token, request.limit, _PAGE, tuple[pages.Number, pages.Text])
        listed, more = pages.page(
            every, lambda one: (one.last_event_timestamp or 0, one.log_stream_name), part, falling=falling
        )
    else:
        part = window(request.next_token, request.limit, _PAGE)
        names, more = pages.page(streams, pages.itself, part, falling=falling)
        listed = [_stream(ctx, group, name, streams[name]) for name in names]
    return DescribeLogStreamsResponse(log_streams=listed, next_token=more)


def create_log_group(ctx: Context, request: CreateLogGroupRequest) -> CreateLogGroupResponse:
    """Make one that is empty; those that tasks log to need not be made (CreateLogGroup)."""
    name = check_group(request.log_group_name)
    if name in _groups(ctx) or not LogStore(ctx.store.logs_path).make_group(name, ctx.now(), request.tags or {}):
        raise ApiError("ResourceAlreadyExistsException", "The specified log group already exists")
    return CreateLogGroupResponse()


def list_tags_log_group(ctx: Context, request: ListTagsLogGroupRequest) -> ListTagsLogGroupResponse:
    """The tags that a group was made with (ListTagsLogGroup)."""
    return ListTagsLogGroupResponse(tags=_tags(ctx, check_group(request.log_group_name)))


def list_tags_for_resource(ctx: Context, request: ListTagsForResourceRequest) -> ListTagsForResourceResponse:
    """The same, by the ARN of the group (ListTagsForResource)."""
    return ListTagsForResourceResponse(tags=_tags(ctx, group_named(None, request.resource_arn)))


def start_live_tail(ctx: Context, request: StartLiveTailRequest) -> LiveTail:
    """A session that begins now. ResourceNotFoundException for a group that there is not."""
    groups = {group_named(None, name): name for name in request.log_group_identifiers}
    if not 1 <= len(groups) <= _MOST_GROUPS:
        raise InputError(f"logGroupIdentifiers: between 1 and {_MOST_GROUPS} can be given.")
    streams, prefixes = request.log_stream_names, request.log_stream_name_prefixes
    if streams is not None and prefixes is not None:
        raise InputError("logStreamNames and logStreamNamePrefixes cannot both be given.")
    if len(groups) > 1 and (streams or prefixes):
        raise InputError("Streams can be named of one log group only.")
    for group in groups:
        sources_of(ctx, group)
    return LiveTail(ctx, request, groups)


def _tags(ctx: Context, name: str) -> dict[str, str]:
    group = _groups(ctx).get(name)
    if group is None:
        raise no_such_group()
    return group.tags


def _groups(ctx: Context) -> dict[str, KeptGroup]:
    kept = {group.name: group for group in LogStore(ctx.store.logs_path).groups()}
    with ctx.store.read() as view:
        known = groups_known(view)
    for name, since in known.items():
        group = kept.get(name, KeptGroup(name, since))
        kept[name] = evolve(group, created_at=min(group.created_at, since))
    return kept


def _is_chosen(source: Source, request: FilterLogEventsRequest) -> bool:
    if source.place is None:
        return False
    stream = source.place.stream
    named = request.log_stream_names is None or stream in request.log_stream_names
    return named and stream.startswith(request.log_stream_name_prefix or "")


def _stream(ctx: Context, group: str, name: str, sources: Sequence[Source]) -> LogStream:
    ends = [moment for source in sources for moment in _ends(ctx, source)]
    made = [_milliseconds(source.made_at) for source in sources if source.made_at]
    last = max(ends, default=None)
    return LogStream(
        log_stream_name=name,
        arn=f"{_arn(ctx, group)}:log-stream:{name}",
        creation_time=min(made or ends, default=0),
        stored_bytes=0,  # as on AWS, for years now
        first_event_timestamp=min(ends, default=None),
        last_event_timestamp=last,
        last_ingestion_time=last,
    )


def _ends(ctx: Context, source: Source) -> list[int]:
    """When the first and the last line were said (milliseconds)."""
    times: list[str] = []
    try:
        if source.address and source.engine_id:
            engine = ctx.controller.engine(source.address)
            first = next(engine.logs(source.engine_id), None)
            last = next(engine.logs(source.engine_id, tail=1), None)
            times = [chunk.timestamp for chunk in (first, last) if chunk]
    except EngineError:
        pass  # what is kept is told, if anything is
    if not times and source.place:
        store = LogStore(ctx.store.logs_path)
        times = [time for time in (store.first_time(source.place), store.last_time(source.place)) if time]
    return [int(float(unix_time(time)) * 1000) for time in times]


def _arn(ctx: Context, group: str) -> str:
    return str(Arn("aws", "logs", ctx.scope.region, ctx.scope.account, f"log-group:{group}"))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
