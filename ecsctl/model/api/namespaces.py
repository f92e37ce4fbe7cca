"""Requests and responses of the actions on namespaces of AWS Cloud Map."""

from ecsctl.model.record import Record


class ListServicesByNamespaceRequest(Record):
    """ECS API_ListServicesByNamespace."""

    namespace: str
    next_token: str | None = None
    max_results: int | None = None


class ListServicesByNamespaceResponse(Record):
    """ECS API_ListServicesByNamespace."""

    service_arns: list[str] | None = None
    next_token: str | None = None
