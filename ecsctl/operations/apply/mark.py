"""What apply made it knows again by a tag, so that prune never deletes what somebody made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from ecsctl.model.api.tags import TagResourceRequest, UntagResourceRequest
from ecsctl.model.common import Tag
from ecsctl.model.errors import invalid_parameter
from ecsctl.model.record import Record, to_wire
from ecsctl.operations.apply.difference import Difference, differences
from ecsctl.operations.lookup import check_tags, tags_of
from ecsctl.store.store import View

MARK = "ecsctl:applied"
"""Its value is the name of the set. It is set when a resource is made, never later."""


def marked(tags: Sequence[Tag] | None, set_name: str | None) -> list[Tag]:
    """The tags of a resource that apply makes."""
    if set_name is None:
        return list(tags or [])
    return [*(tags or []), Tag(key=MARK, value=set_name)]


def is_made_by(view: View, arn: str | None, set_name: str | None) -> bool:
    """Whether an apply of this set made it."""
    return _set_of(view, arn) == set_name


def unmarked_tags(view: View, arn: str | None) -> list[Tag]:
    """A resource's tags without the mark."""
    return [tag for tag in tags_of(view, arn) if tag.key != MARK]


def check_given_tags(tags: Sequence[Tag] | None, set_name: str | None) -> None:
    """InvalidParameterException for tags that cannot be, among them the mark."""
    if set_name is not None and any(tag.key == MARK for tag in tags or []):
        raise invalid_parameter(f"tags: {MARK} is set by apply itself: leave it out, and name the set with --set.")
    check_tags(marked(tags, set_name))


def check_set(view: View, arn: str, set_name: str | None) -> None:
    """InvalidParameterException for what another set made: two sets would change it to and fro."""
    owner = _set_of(view, arn)
    if set_name is not None and owner not in (None, set_name):
        raise invalid_parameter(
            f"it was made by apply --set {owner}; to move it: "
            f"ecsctl tag-resource --resource-arn {arn} --tags key={MARK},value={set_name}"
        )


def tag_changes(view: View, arn: str, wanted: Sequence[Tag] | None) -> tuple[list[Difference], list[Record]]:
    """How a resource's tags change, and the requests for it; None leaves them as they are."""
    if wanted is None:
        return [], []
    is_whole = any(tag.key == MARK for tag in wanted)
    current = tags_of(view, arn) if is_whole else unmarked_tags(view, arn)
    found = differences(_wire(current), _wire(wanted), "tags")
    if not found:
        return [], []
    keys = {tag.key for tag in wanted}
    gone = [str(tag.key) for tag in current if tag.key not in keys]
    changed = [tag for tag in wanted if tag not in current]
    requests: list[Record] = []
    if gone:
        requests.append(UntagResourceRequest(resource_arn=arn, tag_keys=gone))
    if changed:
        requests.append(TagResourceRequest(resource_arn=arn, tags=changed))
    return found, requests


def _wire(tags: Sequence[Tag]) -> list[dict[str, object]] | None:
    return [to_wire(tag) for tag in tags] or None


def _set_of(view: View, arn: str | None) -> str | None:
    return next((tag.value for tag in tags_of(view, arn) if tag.key == MARK), None)
