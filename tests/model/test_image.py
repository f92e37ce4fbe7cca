"""Names of images: one image by many names, its digest, and what takes its place."""

from __future__ import annotations

import pytest

from ecsctl.model.image import digest_of, is_same_image, mapped, parse_image, pinned, replaced

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("nginx", "docker.io/library/nginx", "latest"),
        ("nginx:1.27", "docker.io/library/nginx", "1.27"),
        ("me/app", "docker.io/me/app", "latest"),
        ("docker.io/nginx", "docker.io/library/nginx", "latest"),
        ("index.docker.io/me/app:2", "docker.io/me/app", "2"),
        ("localhost/app", "localhost/app", "latest"),
        ("registry.test:5000/a/b:1", "registry.test:5000/a/b", "1"),
        ("public.ecr.aws/docker/library/nginx", "public.ecr.aws/docker/library/nginx", "latest"),
        (f"nginx@{DIGEST}", "docker.io/library/nginx", ""),
        (f"nginx:1@{DIGEST}", "docker.io/library/nginx", "1"),
    ],
)
def test_a_name_has_a_registry_a_repository_and_a_tag(text: str, repository: str, tag: str) -> None:
    name = parse_image(text)
    assert (name.repository, name.tag) == (repository, tag)
    assert name.digest == (DIGEST if "@" in text else "")


def test_a_digest_takes_the_place_of_a_tag() -> None:
    assert pinned("registry.test:5000/a:1", DIGEST) == f"registry.test:5000/a@{DIGEST}"
    assert pinned("nginx", DIGEST) == f"nginx@{DIGEST}"
    assert is_same_image("nginx", "docker.io/library/nginx:latest")
    assert not is_same_image("nginx", "nginx:1")


def test_the_digest_of_an_image_is_the_one_of_its_own_registry() -> None:
    known = (f"mirror.test/nginx@sha256:{'1' * 64}", f"nginx@{DIGEST}")
    assert digest_of("docker.io/library/nginx:1", known) == DIGEST
    assert digest_of("mirror.test/nginx", known) == "sha256:" + "1" * 64
    assert digest_of("other.test/nginx", known) is None
    assert digest_of("nginx", ()) is None
    two = (f"nginx@sha256:{'1' * 64}", f"nginx@{DIGEST}")
    assert digest_of(f"nginx@{DIGEST}", two) == DIGEST


@pytest.mark.parametrize(
    ("image", "becomes"),
    [
        ("nginx", "busybox:stable"),
        ("nginx:latest", "busybox:stable"),
        ("docker.io/library/nginx", "busybox:stable"),
        ("nginx:1.27", "nginx:1.27"),
        ("redis:7", "cache"),
        (f"redis@{DIGEST}", "cache"),
        ("public.ecr.aws/team/app:1", "registry.test/team/app:1"),
        ("public.ecr.aws/team/special:9", "special:local"),
        ("postgres", "postgres"),
    ],
)
def test_an_image_is_mapped_by_its_name_or_a_pattern_and_the_longest_counts(image: str, becomes: str) -> None:
    table = {
        "nginx:latest": "busybox:stable",
        "redis": "cache",
        "public.ecr.aws/*": "registry.test/*",
        "public.ecr.aws/team/special*": "special:local",
    }
    assert mapped(image, table) == becomes


def test_what_was_asked_comes_before_what_is_configured() -> None:
    assert replaced("a:1", ({"a": "asked"}, {"a": "configured", "b": "b2"})) == "asked"
    assert replaced("b:1", ({"a": "asked"}, {"a": "configured", "b": "b2"})) == "b2"
    assert replaced("c:1", ({"a": "asked"}, {})) == "c:1"
