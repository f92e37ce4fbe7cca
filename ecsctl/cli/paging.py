"""Lists, page after page, as the AWS CLI gathers them: `--max-items`, `--page-size`, `--starting-token`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_origin

from ecsctl.cli.argv import Flag
from ecsctl.cli.output import NEXT_TOKEN
from ecsctl.cli.problems import UsageError, say
from ecsctl.cli.values import from_words
from ecsctl.model.record import Record, evolve, fields_of, to_wire

FLAGS = (
    Flag("--starting-token", "starting_token", metavar="<string>", help="The NextToken of an earlier answer."),
    Flag("--page-size", "page_size", kind=int, metavar="<integer>", help="How many to ask for at a time."),
    Flag("--max-items", "max_items", kind=int, metavar="<integer>", help="How many to print."),
)
_CUT = "boto_truncate_amount"


_BY_HAND = ("DescribeCapacityProviders", "ListServiceDeployments")
"""AWS's CLI does not gather the pages of these: what it prints is what the service says."""


def is_paged(action: str, request: type[Record]) -> bool:
    return "nextToken" in fields_of(request) and action not in _BY_HAND


def by_hand(values: dict[str, Any], *, no_paginate: bool) -> bool:
    """Whether one page is asked for, and no more. UsageError where that goes against what else is."""
    if not no_paginate and not {"maxResults", "nextToken"} & values.keys():
        return False
    if given := ", ".join(flag.name for flag in FLAGS if values.get(flag.key)):
        raise UsageError(f"Cannot specify --no-paginate along with pagination arguments: {given}")
    return True


def every_page(
    call: Callable[[Any], Record], request: Any, response: type[Record], values: dict[str, Any]
) -> dict[str, Any]:
    """The whole list, or its first `max_items` and the token for the rest under `NextToken`."""
    answer: dict[str, Any] = {}
    for page in pages(call, request, response, values):
        answer = {name: answer.get(name, []) + value if name != NEXT_TOKEN else value for name, value in page.items()}
    return answer


def pages(
    call: Callable[[Any], Record], request: Any, response: type[Record], values: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """As every_page, one page after the other."""
    numbers = {key: from_words(f"--{key.replace('_', '-')}", int, values[key]) for key in _NUMBERS if key in values}
    if numbers.get("page_size", 1) < 1 or numbers.get("max_items", 0) < 0:
        raise UsageError("--page-size takes a number above 0, and --max-items none below")
    key = next(name for name, kind in fields_of(response).items() if get_origin(kind) is list)
    token, skip = _read_token(values.get("starting_token"))
    limit = numbers.get("max_items")
    if limit == 0:
        say("ecsctl: --max-items 0 lists nothing: leave it out for the whole list")
    count = 0
    while True:
        page = to_wire(call(evolve(request, next_token=token, max_results=numbers.get("page_size"))))
        fresh = page.get(key, [])[skip:]
        if limit is not None and count + len(fresh) > limit:
            room = limit - count
            yield {key: fresh[:room], NEXT_TOKEN: _write_token(token, skip + room)}
            return
        count += len(fresh)
        token, skip = page.get("nextToken"), 0
        cut = token and count == limit
        yield {key: fresh, NEXT_TOKEN: _write_token(token)} if cut else {key: fresh}
        if cut or not token:
            return


_NUMBERS: tuple[Literal["max_items", "page_size"], ...] = ("max_items", "page_size")


def _write_token(token: str | None, skip: int | None = None) -> str:
    data = {"nextToken": token} | ({} if skip is None else {_CUT: skip})
    return base64.b64encode(json.dumps(data).encode()).decode()


def _read_token(text: str | None) -> tuple[str | None, int]:
    """The page's token and how much of the page is known; a service's own token is a page's."""
    if not text:
        return None, 0
    try:
        data = json.loads(base64.b64decode(text, validate=True))
        return data["nextToken"], int(data.get(_CUT, 0))
    except (ValueError, KeyError, TypeError, AttributeError):
        return text, 0
