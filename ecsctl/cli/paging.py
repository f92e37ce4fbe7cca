"""Lists, page after page, as the AWS CLI gathers them: `--max-items`, `--page-size`, `--starting-token`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_origin

from ecsctl.cli.argv import Flag
from ecsctl.cli.output import NEXT_TOKEN
from ecsctl.cli.problems import UsageError
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
    if any(number < 1 for number in numbers.values()):
        raise UsageError("--max-items and --page-size take a number above 0")
    key = next(name for name, kind in fields_of(response).items() if get_origin(kind) is list)
    token, skip = _read_token(values.get("starting_token"))
    limit = numbers.get("max_items")
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
        yield {key: fresh, NEXT_TOKEN: _write_token(token, 0)} if cut else {key: fresh}
        if cut or not token:
            return


_NUMBERS: tuple[Literal["max_items", "page_size"], ...] = ("max_items", "page_size")


def _write_token(token: str | None, skip: int) -> str:
    data = {"nextToken": token} | ({_CUT: skip} if skip else {})
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
