"""Names of images: what registry they are of, their digests, and what takes their place.

Source: the reference grammar of github.com/distribution/reference, whose "familiar" names engines show.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Literal, get_args

from msgspec import Struct

HUB = "docker.io"

PullBehavior = Literal["default", "always", "once", "prefer-cached"]
BEHAVIORS: tuple[PullBehavior, ...] = get_args(PullBehavior)


class ImagePolicy(Struct, frozen=True):
    """What tasks get for the images that they name, and how long those stay (ECS developer guide, "Amazon ECS container
    agent configuration").

    `behavior`: ECS_IMAGE_PULL_BEHAVIOR; `image_map`: see `mapped`. `cleanup`: whether images are removed; None: as the
    agent does it, which does unless it prefers those that are there. `minimum_age`: since it was pulled
    (ECS_IMAGE_MINIMUM_CLEANUP_AGE); `interval`: how often (ECS_IMAGE_CLEANUP_INTERVAL); `per_cycle`: how many at once
    (ECS_NUM_IMAGES_DELETE_PER_CYCLE).
    """

    behavior: PullBehavior = "prefer-cached"
    image_map: Mapping[str, str] = {}
    cleanup: bool | None = None
    minimum_age: timedelta = timedelta(hours=1)
    interval: timedelta = timedelta(minutes=30)
    per_cycle: int = 5

    @property
    def cleans_up(self) -> bool:
        return self.behavior != "prefer-cached" if self.cleanup is None else self.cleanup


class Name(Struct, frozen=True):
    """An image's name in its parts, the repository with its registry: `docker.io/library/nginx`."""

    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def registry(self) -> str:
        return self.repository.partition("/")[0]


def parse_image(text: str) -> Name:
    """The parts of a name as people write it: `nginx` is `docker.io/library/nginx:latest`."""
    bare, _, digest = text.partition("@")
    head, slash, last = bare.rpartition("/")
    last, _, tag = last.partition(":")
    first = bare.partition("/")[0]
    has_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    path = f"{head}{slash}{last}"
    if not has_registry:
        path = f"{HUB}/{path if slash else f'library/{path}'}"
    elif first in ("index.docker.io", HUB):
        rest = path.partition("/")[2]
        path = f"{HUB}/{rest if '/' in rest else f'library/{rest}'}"
    return Name(path, tag or ("" if digest else "latest"), digest)


def is_same_image(one: str, other: str) -> bool:
    """Whether two names mean the same."""
    return parse_image(one) == parse_image(other)


def pinned(image: str, digest: str) -> str:
    """The name by a digest in place of its tag."""
    bare = image.partition("@")[0]
    head, slash, last = bare.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}@{digest}"


def digest_of(image: str, digests: Iterable[str]) -> str | None:
    """The digest that an image has in the registry of a name, of those that an engine knows (`repository@sha256:…`).
    None where it did not come from there."""
    name = parse_image(image)
    found = [known.digest for known in map(parse_image, digests) if known.repository == name.repository]
    return name.digest if name.digest in found else next(iter(found), None)


def mapped(image: str, table: Mapping[str, str]) -> str:
    """What takes the place of an image, by a table of names or patterns; the image itself where it has nothing.

    A name without a tag means every tag. `*` in a pattern stands for anything, and in what it is mapped to for what
    that was. Of several that fit the longest counts, a name before a pattern.
    """
    fitting = [(("*" not in key, len(key)), to) for key, wanted in table.items() if (to := _fit(key, wanted, image))]
    return max(fitting)[1] if fitting else image


def replaced(image: str, tables: Iterable[Mapping[str, str]]) -> str:
    """What takes the place of an image by the first of several tables that has something for it."""
    return next((other for table in tables if (other := mapped(image, table)) != image), image)


def _fit(key: str, wanted: str, image: str) -> str | None:
    name = parse_image(image)
    if "*" not in key:
        meant = parse_image(key)
        any_tag = ":" not in key.rpartition("/")[2]
        return wanted if meant == name or (any_tag and meant.repository == name.repository) else None
    pattern = "(.*)".join(re.escape(part) for part in key.split("*"))
    full = name.repository + (f":{name.tag}" if name.tag else "") + (f"@{name.digest}" if name.digest else "")
    found = re.fullmatch(pattern, image) or re.fullmatch(pattern, full)
    return wanted.replace("*", found[1]) if found else None
