"""StartLiveTail: each second what has been said since, in some log groups (CloudWatch Logs API_StartLiveTail)."""

from __future__ import annotations

from contextlib import suppress

from ecsctl.engine.log_frames import Seen
from ecsctl.engine.port import Engine, LogChunk
from ecsctl.model.errors import EngineError, NotFound
from ecsctl.model.neighbours.logs import (
    LiveTailSessionLogEvent,
    LiveTailSessionMetadata,
    LiveTailSessionStart,
    LiveTailSessionUpdate,
    StartLiveTailRequest,
)
from ecsctl.model.timestamps import rfc3339, unix_time
from ecsctl.operations.context import Context
from ecsctl.operations.logs import Source, of_group
from ecsctl.operations.neighbours.log_lines import passes_of
from ecsctl.store.log_store import LogStore

_OVERLAP = 1.0
"""Seconds before the last line from which on is read again."""
MOST = 500
"""Events of one second that are told."""


class LiveTail:
    """A session. What was said before it began is not told."""

    def __init__(self, ctx: Context, request: StartLiveTailRequest, groups: dict[str, str]) -> None:
        self._ctx = ctx
        self._groups = groups
        self._streams = request.log_stream_names
        self._prefixes = tuple(request.log_stream_name_prefixes or ("",))
        self._passes = passes_of(request.log_event_filter_pattern)
        self._seen: dict[str, Seen] = {}
        self._ended: set[str] = set()
        self._sequence = -1
        self._sources: list[Source] = []
        self.start = LiveTailSessionStart(
            request_id="",
            session_id=ctx.new_id(),
            log_group_identifiers=request.log_group_identifiers,
            log_stream_names=request.log_stream_names or [],
            log_stream_name_prefixes=request.log_stream_name_prefixes or [],
            log_event_filter_pattern=request.log_event_filter_pattern or "",
        )
        self._skip_past()

    def look(self) -> LiveTailSessionUpdate:
        """What has been said since the last look, by time."""
        found: list[tuple[str, Source, LogChunk]] = []
        for source in self._current():
            found += [(chunk.timestamp, source, chunk) for chunk in self._read(source)]
        found.sort(key=lambda one: one[0])
        events = [event for _, source, chunk in found if self._passes((event := self._event(source, chunk)).message)]
        metadata = LiveTailSessionMetadata(sampled=len(events) > MOST)
        return LiveTailSessionUpdate(session_metadata=metadata, session_results=events[:MOST])

    def _skip_past(self) -> None:
        for source in self._current():
            if source.has_ended:
                self._ended.add(source.id)
                continue
            with suppress(EngineError):
                engine, container = self._engine(source), str(source.engine_id)
                for last in engine.logs(container, tail=1):
                    for chunk in engine.logs(container, since=last.timestamp):
                        self._seen_of(source).add(chunk)

    def _current(self) -> list[Source]:
        """The containers that may say something; those of a task that has stopped once more."""
        with self._ctx.store.read() as view:
            if view.sequence != self._sequence:
                store = LogStore(self._ctx.store.logs_path)
                every = [source for group in self._groups for source in of_group(view, store, group)]
                self._sources = [source for source in every if self._is_chosen(source)]
                self._sequence = view.sequence
        return [source for source in self._sources if source.id not in self._ended]

    def _is_chosen(self, source: Source) -> bool:
        if source.place is None:
            return False
        stream = source.place.stream
        return (self._streams is None or stream in self._streams) and stream.startswith(self._prefixes)

    def _read(self, source: Source) -> list[LogChunk]:
        """What is new. A host that does not answer is asked again in a second."""
        seen, new = self._seen_of(source), list[LogChunk]()
        # A little from before, too: the one stream may be told of behind a later line of the other.
        since = rfc3339(float(unix_time(seen.last)) - _OVERLAP) if seen.last else None
        try:
            if source.address and source.engine_id:
                new += seen.unseen(self._engine(source).logs(source.engine_id, since=since))
        except NotFound:
            if source.place:
                new += seen.unseen(LogStore(self._ctx.store.logs_path).read(source.place))
        except EngineError:
            return []
        for chunk in new:
            seen.add(chunk)
        if source.has_ended:
            self._ended.add(source.id)
        return new

    def _seen_of(self, source: Source) -> Seen:
        return self._seen.setdefault(source.id, Seen())

    def _engine(self, source: Source) -> Engine:
        return self._ctx.controller.engine(str(source.address))

    def _event(self, source: Source, chunk: LogChunk) -> LiveTailSessionLogEvent:
        group, stream = (source.place.group, source.place.stream) if source.place else ("", "")  # all chosen have one
        moment = int(unix_time(chunk.timestamp).replace(".", "")) // 10**6
        return LiveTailSessionLogEvent(
            log_stream_name=stream,
            log_group_identifier=self._groups[group],
            message=chunk.line.decode("utf-8", "replace"),
            timestamp=moment,
            ingestion_time=moment,
        )
