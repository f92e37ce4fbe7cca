"""What image a container gets, and which are no longer needed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ecsctl.model.image import ImagePolicy
from ecsctl.model.observed import ObservedImage
from ecsctl.model.record import evolve
from ecsctl.model.stored import ImageRecord
from ecsctl.scheduler.images import no_longer_needed, settled
from tests.making import INSTANCE, NOW, definition, task_of

DIGEST = "sha256:" + "0" * 64
CAME = ImageRecord(instance_arn=INSTANCE, image_id="id", names=["app:1"], came_at=NOW, ours=True)


@pytest.mark.parametrize(
    ("image", "used", "needed", "gone"),
    [
        (ObservedImage("id", ("app:1",)), set(), set(), ["app:1"]),
        (ObservedImage("id", ("app:1",), (f"app@{DIGEST}",)), {"another"}, {"app:2", f"app@{DIGEST[:-1]}1"}, ["app:1"]),
        (ObservedImage("id"), set(), {"app:1"}, ["id"]),  # its name has gone on to another
        (ObservedImage("id", ("app:1",)), {"id"}, set(), []),
        (ObservedImage("id", ("app:1",)), set(), {"docker.io/library/app:1"}, []),
        (ObservedImage("id", ("app:1",), (f"app@{DIGEST}",)), set(), {f"app@{DIGEST}"}, []),
        (ObservedImage("id", ("app:1", "mine:1")), set(), set(), []),
        (ObservedImage("other", ("app:1",)), set(), set(), []),
    ],
)
def test_only_what_nobody_uses_needs_or_has_given_a_name_goes(
    image: ObservedImage, used: set[str], needed: set[str], gone: list[str]
) -> None:
    chosen = no_longer_needed([CAME], [image], used, needed, {}, 5)
    assert [name for _, names in chosen for name in names] == gone


def test_the_least_recently_used_goes_first() -> None:
    known = [evolve(CAME, image_id=f"id{n}", names=[f"app:{n}"], came_at=NOW + timedelta(minutes=n)) for n in (3, 1, 2)]
    there = [ObservedImage(one.image_id, tuple(one.names)) for one in known]
    chosen = no_longer_needed(known, there, (), (), {"app:1": NOW + timedelta(hours=1)}, 2)
    assert [names for _, names in chosen] == [["app:2"], ["app:3"]]


def test_what_was_pushed_is_neither_pulled_nor_asked_for_by_its_digest() -> None:
    made = definition({"name": "main", "image": "app:1"})
    policy = ImagePolicy("always")
    (state,) = settled(task_of(made), made, policy, [], {"main": DIGEST}).containers
    assert (state.image, state.pull) == (f"app@{DIGEST}", "must")
    pushed = evolve(CAME, pushed=True, names=["docker.io/library/app:1"])
    (state,) = settled(task_of(made), made, policy, [pushed], {"main": DIGEST}).containers
    assert (state.image, state.pull) == ("app:1", "missing")
