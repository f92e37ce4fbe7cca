"""StartLiveTail: each second what has been said since, in some log groups (CloudWatch Logs API_StartLiveTail)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ecsctl.engine.port import Engine, LogChunk
from ecsctl.model.errors import EngineError, NotFound
from ecsctl.model.neighbours.logs import (
    LiveTailSessionLogEvent,
    LiveTailSessionMetadata,
    LiveTailSessionStart,
    LiveTailSessionUpdate,
    StartLiveTailRequest,
)
from ecsctl.model.timestamps import unix_time
from ecsctl.operations.context import Context
from ecsctl.operations.filter_pattern import parse_filter_pattern
from ecsctl.operations.logs import Source, of_group
from ecsctl.store.log_store import LogStore

MOST = 500
"""Events of one second that are told."""


class _Reader:
    """What has been read of a container: up to which time, and how many lines of that very time."""

    def __init__(self, last: str = "") -> None:
        self.last = last
        self._count = 0

    @property
    def since(self) -> str | None:
        return self.last or None

    def new(self, chunks: Iterator[LogChunk]) -> Iterator[LogChunk]:
        """Those of a log, read again from `since` on, that have not been read."""
        last, again = self.last, self._count
        for chunk in chunks:
            if chunk.timestamp < last:
                continue
            if chunk.timestamp == last and again > 0:
                again -= 1
                continue
            self._count = self._count + 1 if chunk.timestamp == self.last else 1
            self.last = chunk.timestamp
            yield chunk


class LiveTail:
    """A session. What was said before it began is not told."""

    def __init__(self, ctx: Context, request: StartLiveTailRequest, groups: dict[str, str]) -> None:
        self._ctx = ctx
        self._groups = groups
        self._streams = request.log_stream_names
        self._prefixes = tuple(request.log_stream_name_prefixes or ("",))
        self._passes = parse_filter_pattern(request.log_event_filter_pattern or "")
        self._readers: dict[str, _Reader] = {}
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
            reader = self._readers.setdefault(source.id, _Reader())
            found += [(chunk.timestamp, source, chunk) for chunk in self._read(source, reader)]
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
                last = next(self._engine(source).logs(str(source.engine_id), tail=1), None)
                self._readers[source.id] = _Reader(last.timestamp if last else "")
                self._read(source, self._readers[source.id])

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

    def _read(self, source: Source, reader: _Reader) -> list[LogChunk]:
        """What is new. A host that does not answer is asked again in a second."""
        new: list[LogChunk] = []
        try:
            if source.address and source.engine_id:
                new += reader.new(self._engine(source).logs(source.engine_id, since=reader.since))
        except NotFound:
            if source.place:
                new += reader.new(LogStore(self._ctx.store.logs_path).read(source.place))
        except EngineError:
            return new
        if source.has_ended:
            self._ended.add(source.id)
        return new

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
