"""Systems Manager: parameters, which are the secrets of the state."""

from datetime import datetime
from typing import Literal

from msgspec import field

from ecsctl.model.neighbours.pascal import PascalRecord


class GetParameterRequest(PascalRecord):
    """What GetParameter takes."""

    name: str
    with_decryption: bool | None = None


class Parameter(PascalRecord):
    """API_Parameter. `version` counts the values that are kept."""

    name: str
    type: Literal["SecureString"]
    value: str
    version: int
    last_modified_date: datetime
    arn: str = field(name="ARN")
    data_type: Literal["text"]
    selector: str | None = None


class GetParameterResponse(PascalRecord):
    """What GetParameter answers."""

    parameter: Parameter


class GetParametersRequest(PascalRecord):
    """What GetParameters takes."""

    names: list[str]
    with_decryption: bool | None = None


class GetParametersResponse(PascalRecord):
    """What GetParameters answers."""

    parameters: list[Parameter]
    invalid_parameters: list[str]


class GetParametersByPathRequest(PascalRecord):
    """What GetParametersByPath takes."""

    path: str
    recursive: bool | None = None
    with_decryption: bool | None = None
    max_results: int | None = None
    next_token: str | None = None


class GetParametersByPathResponse(PascalRecord):
    """What GetParametersByPath answers."""

    parameters: list[Parameter]
    next_token: str | None = None
