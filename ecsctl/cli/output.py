"""Answers, printed as the AWS CLI prints them: `--query` first, then json, yaml, text or table. Only on stdout."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, TextIO

import msgspec

from ecsctl.cli.problems import UsageError

NEXT_TOKEN = "NextToken"  # noqa: S105 a key of AWS's answers


def show(data: Any, output: str = "json", query: str | None = None, title: str = "") -> None:
    """Print `data` (plain data and datetimes). `title` is the action's name, for tables."""
    data = as_text_times(data)
    if query is not None:
        data = search(query, data)
    if output != "off":
        render(data, output, title, sys.stdout)


def render(data: Any, output: str, title: str, stream: TextIO) -> None:
    """Write `data` in one of the formats."""
    if output == "json":
        if data != {}:  # as AWS: an action that answers nothing prints nothing
            stream.write(json_text(data))
    elif output in ("yaml", "yaml-stream"):
        if data != {}:
            stream.write(yaml_text([data] if output == "yaml-stream" else data))
    elif output == "text":
        from ecsctl.cli.text_output import text_lines

        stream.writelines(line + "\n" for line in text_lines(data))
    else:
        from ecsctl.cli.table_output import table_lines

        stream.writelines(line + "\n" for line in table_lines(data, title))


def json_text(data: Any) -> str:
    """JSON as AWS CLI v2 writes it: four spaces, not escaped beyond what JSON needs."""
    return msgspec.json.format(msgspec.json.encode(data), indent=4).decode() + "\n"


def yaml_text(data: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text.removesuffix("...\n")  # the end mark after a lone scalar


def search(query: str, data: Any) -> Any:
    """The part of `data` a JMESPath expression names. Raises UsageError for a bad expression."""
    import jmespath

    try:
        return jmespath.search(query, data)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"Bad value for --query {query}: {problem}") from None


def as_text_times(data: Any) -> Any:
    """The data with its datetimes as AWS CLI v2 writes them: ISO 8601 in the local zone."""
    if isinstance(data, dict):
        return {key: as_text_times(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_text_times(value) for value in data]
    if isinstance(data, datetime):
        return data.astimezone().isoformat()
    return data
