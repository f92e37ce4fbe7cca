"""The lines of log streams in one order, places in it, and the tokens that name them.

An event's place is the nanosecond that its engine gave it, and a number among those of the same. So a token stays right
when older lines are gone, and a log that ends where it is read again gives the same token.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from heapq import heappop, heappush
from itertools import count, groupby
from typing import NamedTuple

from ecsctl.engine.port import LogChunk
from ecsctl.model.errors import ApiError, InputError
from ecsctl.model.timestamps import unix_time
from ecsctl.operations.context import Context
from ecsctl.operations.filter_pattern import parse_filter_pattern
from ecsctl.operations.logs import Problem, Source, Wanted, merged, of_group
from ecsctl.store.log_store import LogStore

MOST, MOST_BYTES = 10_000, 1 << 20
"""Events, and bytes of them, in an answer (GetLogEvents)."""
_OF_EVENT = 26
"""Bytes that an event counts beside its text."""
_TOKEN = re.compile(r"([fb])/([0-9]{1,19})-([0-9]{1,9})")
_GROUP = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_NEVER = 9**20
_LONGEST_PATTERN = 1024

_WINDOW = 64
"""Lines in which two may be the other way round."""

Place = tuple[int, int]
_Pair = tuple[Source, LogChunk]


class Line(NamedTuple):
    """A line of a log: when (nanoseconds since 1970), which of that nanosecond, of which stream, and what was said."""

    nanoseconds: int
    number: int
    stream: str
    text: str

    @property
    def place(self) -> Place:
        return self.nanoseconds, self.number

    @property
    def milliseconds(self) -> int:
        return self.nanoseconds // 10**6

    @property
    def id(self) -> str:
        """56 digits, as AWS's are, and always the same."""
        digest = hashlib.sha256(f"{self.place} {self.stream}".encode()).hexdigest()
        return f"{self.nanoseconds:020d}{int(digest, 16) % 10**36:036d}"


class Page:
    """Lines of an answer, as many as it holds."""

    def __init__(self, limit: int | None) -> None:
        if limit is not None and not 1 <= limit <= MOST:
            raise InputError(f"limit: is between 1 and {MOST}, not {limit}.")
        self.lines: list[Line] = []
        self._limit = limit or MOST
        self._size = 0

    def add(self, line: Line) -> bool:
        """Whether there was room. One line there always is room for."""
        size = len(line.text.encode()) + _OF_EVENT
        if self.lines and (len(self.lines) >= self._limit or self._size + size > MOST_BYTES):
            return False
        self.lines.append(line)
        self._size += size
        return True


class Span(NamedTuple):
    """From one millisecond on, and before another."""

    start: int
    end: int

    @classmethod
    def of(cls, start: int | None, end: int | None) -> Span:
        return cls(max(0, start or 0), _NEVER if end is None else end)


def group_named(name: str | None, identifier: str | None) -> str:
    """A log group by its name, or an ARN of it. InputError where it is not said once."""
    if (name is None) == (identifier is None):
        raise InputError("Exactly one of logGroupName and logGroupIdentifier has to be given.")
    group = name if name is not None else _of_arn(str(identifier))
    return check_group(group)


def check_group(name: str) -> str:
    """The name of a log group; InputError for what cannot be one."""
    if not _GROUP.fullmatch(name):
        raise InputError(f"{name[:100]!r} is not the name of a log group: 1 to 512 letters, digits and .-_/#")
    return name


def _of_arn(text: str) -> str:
    return text.partition(":log-group:")[2].removesuffix(":*") if text.startswith("arn:") else text


def passes_of(pattern: str | None) -> Callable[[str], bool]:
    """Whether a line passes a filter pattern. InputError for what is none, or could take too long to answer."""
    if len(pattern or "") > _LONGEST_PATTERN:
        raise InputError(f"A filter pattern has at most {_LONGEST_PATTERN} characters.")
    return parse_filter_pattern(pattern or "", expressions=False)


def sources_of(ctx: Context, group: str) -> list[Source]:
    """What is in a log group. ResourceNotFoundException where there is no such group."""
    store = LogStore(ctx.store.logs_path)
    with ctx.store.read() as view:
        found = of_group(view, store, group)
    if not found and group not in {one.name for one in store.groups()}:
        raise no_such_group()
    return found


def no_such_group() -> ApiError:
    """What is said of a log group that there is not."""
    return ApiError("ResourceNotFoundException", "The specified log group does not exist.")


def lines(ctx: Context, sources: Sequence[Source], span: Span, begin: Place, problems: list[Problem]) -> Iterator[Line]:
    """Those of a span of time, from a place on. The order of lines of one nanosecond is always the same."""
    start = max(span.start * 10**6, begin[0])
    since = _moment(start) if start else None
    pairs = _in_order(merged(ctx, sources, Wanted(since=since), problems))
    for timestamp, some in groupby(pairs, key=_timestamp):
        nanoseconds = int(unix_time(timestamp).replace(".", ""))
        if nanoseconds // 10**6 >= span.end:
            return
        for number, (source, chunk) in enumerate(sorted(some, key=_source_id)):
            place = (nanoseconds, number)
            if place >= begin and nanoseconds >= start and source.place:
                yield Line(*place, source.place.stream, chunk.line.decode("utf-8", "replace"))


def _in_order(pairs: Iterator[_Pair]) -> Iterator[_Pair]:
    """By time. Of a container that writes to stdout and stderr at once an engine keeps now and then two lines the other
    way round."""
    numbers = count()
    waiting: list[tuple[str, int, _Pair]] = []
    for pair in pairs:
        heappush(waiting, (pair[1].timestamp, next(numbers), pair))
        if len(waiting) > _WINDOW:
            yield heappop(waiting)[2]
    while waiting:
        yield heappop(waiting)[2]


def _timestamp(pair: _Pair) -> str:
    return pair[1].timestamp


def _source_id(pair: _Pair) -> str:
    return pair[0].id


def _moment(nanoseconds: int) -> datetime:
    """A little before: engines' times have more digits than a datetime."""
    try:
        second = datetime.fromtimestamp(nanoseconds // 10**9, timezone.utc)
        return second + timedelta(microseconds=nanoseconds % 10**9 // 1000 - 1)
    except (OverflowError, ValueError, OSError):
        raise InputError(f"{nanoseconds // 10**6} is no time.") from None


def token_of(direction: str, place: Place) -> str:
    """What names a place and a direction: `f` for what comes behind it, `b` for what is before it."""
    return f"{direction}/{place[0]}-{place[1]}"


def place_named(token: str | None) -> tuple[str, Place] | None:
    """The direction and the place of a token; InputError for what is none."""
    if token is None:
        return None
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise InputError("The specified nextToken is invalid.")
    return found[1], (int(found[2]), int(found[3]))


def first_place(page: Sequence[Line], otherwise: Place) -> Place:
    """Where the lines begin."""
    return page[0].place if page else otherwise


def place_behind(page: Sequence[Line], otherwise: Place) -> Place:
    """Where the next line would be."""
    return (page[-1].nanoseconds, page[-1].number + 1) if page else otherwise
