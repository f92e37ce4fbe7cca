"""The user's own registry credentials, as the docker command keeps them."""

from __future__ import annotations

import base64
import json
import warnings

from ecsctl.engine.contexts import read_config
from ecsctl.engine.port import RegistryLogin
from ecsctl.model.errors import EngineRefused

_PLACES = ("auths", "credHelpers", "credsStore", "HttpHeaders")


def login_headers(login: RegistryLogin) -> dict[str, str]:
    """The header that lets the engine pull an image by a log-in."""
    found = json.dumps({"username": login.username, "password": login.password}).encode()
    return {"X-Registry-Auth": base64.urlsafe_b64encode(found).decode()}


def auth_headers(image: str) -> dict[str, str]:
    """The headers that let the engine pull an image for the user; empty when nothing is stored for its registry.

    EngineRefused when a credential helper fails.
    """
    config = read_config()
    if not any(config.get(place) for place in _PLACES):
        return {}
    # The SDK knows every way credentials are stored; it takes 120 ms to load, and only who has some pays.
    from docker import auth, errors

    registry, _ = auth.resolve_repository_name(image)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a helper that is not there it warns, and then raises
            found = auth.resolve_authconfig(auth.load_config(), registry)
    except errors.DockerException as error:
        raise EngineRefused(401, f"The credentials for {registry} cannot be read: {error}") from error
    if not found:
        return {}
    header = auth.encode_header(found)
    return {"X-Registry-Auth": header.decode() if isinstance(header, bytes) else header}
