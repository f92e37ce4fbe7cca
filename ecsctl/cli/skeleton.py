"""`--generate-cli-skeleton`: a request to fill in, or what an answer looks like."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Literal, get_args, get_origin

from ecsctl.cli.values import is_record
from ecsctl.model.record import fields_of


def skeleton(kind: Any, name: str = "", named: bool = False) -> Any:
    """Example data of `kind`; strings are empty, or with `named` the name of their member; of a list's the AWS CLI
    knows that of the type."""
    origin = get_origin(kind)
    if is_record(kind):
        return {wire: skeleton(member, wire, named) for wire, member in fields_of(kind).items()}
    if origin is list:
        return [skeleton(get_args(kind)[0], "String", named)]
    if origin is dict:
        return {"KeyName": skeleton(get_args(kind)[1], name, named)}
    if origin is Literal:
        return get_args(kind)[0]
    examples: dict[Any, Any] = {
        int: 0,
        float: 0.0,
        bool: True,
        datetime: datetime(1970, 1, 1, tzinfo=timezone.utc),
    }
    return examples.get(kind, name if named else "")
