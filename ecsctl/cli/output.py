"""Answers, printed as the AWS CLI prints them: `--query` first, then json, yaml, text or table. Only on stdout."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any, TextIO

import msgspec

from ecsctl.cli.problems import UsageError
from ecsctl.model.errors import EcsctlError

JSON_LINES = "json-lines"
STREAMED = {"json": JSON_LINES, "yaml": "yaml-stream"}
"""The formats of answers that come one by one: their whole is JSON Lines, or one YAML list."""
NEXT_TOKEN = "NextToken"  # noqa: S105 a key of AWS's answers


def show(data: Any, output: str = "json", query: str | None = None, title: str = "") -> None:
    """Print `data` (plain data and datetimes). `title` is the action's name, for tables."""
    data = as_text_times(data)
    # In text the token is a line of its own, which no query hides: scripts take the list and the token from one run.
    token = data.pop(NEXT_TOKEN, None) if output == "text" and isinstance(data, dict) else None
    if query is not None:
        data = search(query, data)
    if output != "off":
        render(data, output, title, sys.stdout)
        if token is not None:
            sys.stdout.write(f"NEXTTOKEN\t{token}\n")


def render(data: Any, output: str, title: str, stream: TextIO) -> None:
    """Write `data` in one of the formats."""
    if output == "json":
        if data != {}:  # as AWS: an action that answers nothing prints nothing
            stream.write(json_text(data))
    elif output == JSON_LINES:
        stream.write(msgspec.json.encode(data).decode() + "\n")
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
    """The part of `data` a JMESPath expression names.

    Raises UsageError for what is no expression, EcsctlError for one that does not fit the data, as the AWS CLI
    tells them apart (252 and 255).
    """
    if query.isidentifier() and query.isascii():
        return data.get(query) if isinstance(data, dict) else None
    import jmespath

    try:
        expression = jmespath.compile(query)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise UsageError(f"Bad value for --query {query}: {_problem(error)}") from None
    try:
        return expression.search(data)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise EcsctlError(f"--query {query}: {_problem(error)}") from None


def _problem(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def as_text_times(data: Any) -> Any:
    """The data with its datetimes as AWS CLI v2 writes them: ISO 8601 in the local zone."""
    if isinstance(data, dict):
        return {key: as_text_times(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_text_times(value) for value in data]
    if isinstance(data, datetime):
        return data.astimezone().isoformat()
    return data
