"""Finding capacity providers, and what their tags may say."""

from __future__ import annotations

from ecsctl.model.account_records import CapacityProviderRecord
from ecsctl.model.common import Tag
from ecsctl.model.errors import invalid_parameter
from ecsctl.operations.context import Context
from ecsctl.operations.lookup import check_tags
from ecsctl.store.account_tables import CAPACITY_PROVIDERS
from ecsctl.store.store import View


def find_provider(view: View, ctx: Context, name: str) -> CapacityProviderRecord:
    """A capacity provider by its name, not one of Fargate's; InvalidParameterException."""
    found = view.get(CAPACITY_PROVIDERS, ctx.scope.capacity_provider(name))
    if found is None:
        raise invalid_parameter(
            f"The specified capacity provider {name!r} was not found: see describe-capacity-providers."
        )
    return found


def check_provider_tags(tags: list[Tag] | None) -> None:
    """As check_tags, and the price is one: its hosts cost that."""
    from ecsctl.placement.host import figure_problem  # most commands place nothing

    check_tags(tags)
    for tag in tags or []:
        if wrong := figure_problem(tag.key, tag.value):
            raise invalid_parameter(f"Tag {tag.key}: {wrong}.")
