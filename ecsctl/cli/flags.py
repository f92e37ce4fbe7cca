"""The options of an ECS action, from its request record: there is no second list of parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import msgspec

from ecsctl.cli.argv import Flag
from ecsctl.cli.problems import ParameterError, UsageError
from ecsctl.cli.values import from_words, is_json, is_record, load
from ecsctl.model.errors import InputError, UnknownWord, invalid_parameter
from ecsctl.model.record import R, Record, decode, fields_of

INPUT_FLAGS = (
    Flag(
        "--cli-input-json", "cli_input_json", metavar="<json|file://path>", help="The whole request; options override."
    ),
    Flag("--cli-input-yaml", "cli_input_yaml", metavar="<yaml|file://path>", help="The same, written in YAML."),
    Flag(
        "--generate-cli-skeleton",
        "generate_cli_skeleton",
        "maybe",
        const="input",
        accepts=lambda word: not word.startswith("-"),
        metavar="[input|yaml-input|output]",
        help="Print a request to fill in, or what the answer looks like, and do nothing.",
    ),
)


_NEGATIVE = {"enableExecuteCommand": "--disable-execute-command", "interactive": "--non-interactive"}
"""The switches that the AWS CLI does not call `--no-…` (aws-cli, customizations/argrename.py)."""
_OWN = {
    "lossPolicy": "What becomes of tasks on a lost host: replace (the default), ecs, never-double-run.",
    "preemptionPriority": "Where there is no room, tasks with a lower one make way (0 to 1000; 0 by default).",
    "priority": "What placement minds more: cost, availability, balanced, or 0 (cost) to 1 (availability).",
    "seed": "What chance goes by where hosts are alike: the same seed, the same plan.",
}
"""Members of requests that are not of AWS's, and what they mean."""


def flag_name(wire: str) -> str:
    """The option of a member, by the AWS CLI's rule: `enableECSManagedTags` → `--enable-ecs-managed-tags`."""
    if plural := re.search(r"[A-Z]{2,}s$", wire):
        wire = f"{wire[: plural.start()]}-{plural[0].lower()}"
    wire = re.sub(r"(.)([A-Z][a-z]+)", r"\1-\2", wire)
    return "--" + re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", wire).lower()


def flags_of(request: type[Record]) -> list[Flag]:
    """One option per member of the request, two for a boolean."""
    flags = []
    needed = required_of(request)
    for wire, kind in fields_of(request).items():
        name = flag_name(wire)
        if kind is bool:
            flags.append(Flag(name, wire, "none", kind, True, wire in needed))
            flags.append(Flag(_NEGATIVE.get(wire, "--no-" + name[2:]), wire, "none", kind, False))
            continue
        takes: Literal["one", "many"] = "many" if get_origin(kind) is list else "one"
        own = _OWN.get(wire, "")
        text = own or _choices(kind)
        flags.append(
            Flag(name, wire, takes, kind, required=wire in needed, metavar=_metavar(kind), help=text, own=bool(own))
        )
    return flags


def required_of(request: type[Record]) -> set[str]:
    """The wire names of the members that a request must have."""
    return {field.encode_name for field in msgspec.structs.fields(request) if field.required}


def build(request: type[R], values: dict[str, Any], flags: Sequence[Flag]) -> R:
    """The request that the options ask for.

    Raises UsageError for what is missing or malformed, ParameterError for a request of the wrong form, and
    ApiError InvalidParameterException for a word that is not among those ECS knows, as ECS itself does.
    """
    data = given_request(values)
    if data is None:
        missing = [flag.name for flag in flags if flag.required and flag.key not in values]
        if missing:
            raise UsageError(f"the following arguments are required: {', '.join(missing)}")
        data = {}
    data = data | members(request, values, flags)
    try:
        return decode(request, data)
    except UnknownWord as error:
        raise invalid_parameter(str(error)) from None
    except InputError as error:
        raise ParameterError(f"Parameter validation failed: {error}") from None


def members(request: type[Record], values: dict[str, Any], flags: Sequence[Flag]) -> dict[str, Any]:
    """Plain data of the members that options give."""
    known = fields_of(request)
    return {
        flag.key: from_words(flag.name, flag.kind, values[flag.key])
        for flag in flags
        if flag.key in values and flag.key in known
    }


def given_request(values: dict[str, Any]) -> dict[str, Any] | None:
    """The request of `--cli-input-json` or `--cli-input-yaml`, None when there is neither."""
    given = [key for key in ("cli_input_json", "cli_input_yaml") if key in values]
    if not given:
        return None
    if len(given) == 2:
        raise UsageError("only one of --cli-input-json and --cli-input-yaml can be given")
    name = "--" + given[0].replace("_", "-")
    raw = values[given[0]]
    text = load(raw, name)
    where = raw.removeprefix("file://") if text != raw else name
    from ecsctl.cli.documents import parse_yaml
    from ecsctl.operations.strict_json import parse_json

    data = parse_json(text, where) if given[0].endswith("json") else parse_yaml(text, where)
    if not isinstance(data, dict):
        raise UsageError(f'{where}: the request must be an object, like {{"cluster": "default"}}')
    return data


def _metavar(kind: Any) -> str:
    if kind is int:
        return "<integer>"
    if kind is float:
        return "<number>"
    if get_origin(kind) is list:
        item = get_args(kind)[0]
        return f"{shape(item)} ..." if is_record(item) else "<string> ..."
    if is_record(kind):
        return shape(kind)
    if get_origin(kind) is dict:
        return "key=value,..."
    return "<string>"


def shape(kind: type[Record]) -> str:
    """The shorthand of a flat record, `<structure>` for a deep one."""
    members = fields_of(kind)
    if len(members) > 4 or any(is_record(member) or get_origin(member) in (list, dict) for member in members.values()):
        return "<structure>"
    return ",".join(f"{name}={_type(member)}" for name, member in members.items())


def _type(kind: Any) -> str:
    names: dict[Any, str] = {int: "integer", float: "number", bool: "boolean"}
    return names.get(kind, "string")


def _choices(kind: Any) -> str:
    item = get_args(kind)[0] if get_origin(kind) is list else kind
    if get_origin(item) is Literal:
        return "One of " + ", ".join(get_args(item)) + "."
    if get_origin(kind) is list and is_record(item):
        return "Shorthand, JSON or file://path."
    return "Shorthand, JSON or file://path." if is_json(kind) else ""
