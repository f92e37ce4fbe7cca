"""The errors, one tree.

EcsctlError                     every error a user may see; str() is its one line
├─ InputError                   what was typed or read cannot be understood
│  ├─ UnknownWord               a word that is not among those ECS knows in its place
│  └─ WrongType                 a string where a number belongs, and the like
├─ ConfigError                  the configuration (file, environment) cannot be used
├─ StateError                   the state cannot be used
│  └─ StateUnreachable          its database does not answer, or the connection was lost
├─ SecretUnavailable            a value that a container needs cannot be had
├─ ApiError                     an ECS error: a code of the ECS API and a message
└─ EngineError                  an engine call that did not succeed
   ├─ EngineUnreachable         nobody answered: the request did not reach the engine
   ├─ OtherEngine               it is not the host's own
   ├─ EngineTimeout             no answer in time: what became of the request is unknown
   └─ EngineRefused             the engine said no (HTTP status, its words)
      ├─ EngineTooOld           400: it does not speak the version of the API that is needed
      ├─ NotFound               404 for a container or volume
      ├─ ImageNotFound          404 at create: no such image on the host
      └─ Conflict               409: the name is taken, or the state does not allow it
"""

from __future__ import annotations

from typing import Literal

Cause = Literal[
    "address", "name", "port", "route", "timeout", "host-key", "key", "ssh", "tls", "docker", "permission", "other"
]
"""What keeps a host's engine from being reached."""


class EcsctlError(Exception):
    """Every error a user may see; its text is one line that says what is wrong, where, and what to do."""


class InputError(EcsctlError):
    """What was typed or read from a file cannot be understood."""


class UnknownWord(InputError):
    """A word that is not among those ECS knows in its place. AWS leaves it to the service to say so."""


class WrongType(InputError):
    """A value that is not of the type that ECS has in its place."""


class ConfigError(EcsctlError):
    """The configuration file or an environment variable cannot be used."""


class StateError(EcsctlError):
    """The state file is unreadable, read-only, corrupt, busy or from a newer release."""


class StateUnreachable(StateError):
    """The database of the state does not answer, or the connection to it was lost: another time it may be there."""


class SecretUnavailable(EcsctlError):
    """A value that a container needs cannot be had; the text says why, and has no value in it."""


class VolumeUnavailable(EcsctlError):
    """A volume that a container needs cannot be had; the text says why, and what to do."""


class ApiError(EcsctlError):
    """An error of the ECS API (ECS API reference, CommonErrors and each action's Errors)."""

    def __init__(self, code: str, message: str, resource_ids: list[str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.resource_ids = resource_ids or []


def client_exception(message: str) -> ApiError:
    """ClientException: the request cannot be served, e.g. an unknown task definition."""
    return ApiError("ClientException", message)


def invalid_parameter(message: str) -> ApiError:
    """InvalidParameterException: a parameter has a value that ECS does not take."""
    return ApiError("InvalidParameterException", message)


class EngineError(EcsctlError):
    """A call to a Docker Engine that did not succeed."""


class EngineUnreachable(EngineError):
    """The request did not reach the engine: no socket, refused, no route, ssh failed."""

    def __init__(self, message: str, cause: Cause = "other") -> None:
        super().__init__(message)
        self.cause = cause


class EngineTimeout(EngineError):
    """No answer in time. The engine may have done, or may still do, what was asked."""


class OtherEngine(EngineError):
    """Another engine answers at a host's address: what is asked of it would say nothing of the host."""


class EngineRefused(EngineError):
    """The engine answered no. `status` is the HTTP status, the text is the engine's own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class EngineTooOld(EngineRefused):
    """400: the engine does not speak the version of the API that is needed."""


class NotFound(EngineRefused):
    """404 for a container or volume."""


class ImageNotFound(EngineRefused):
    """404 at create: the image is not on the host."""


class NetworkNotFound(EngineRefused):
    """404 at create or start: the network is not on the host."""


class Conflict(EngineRefused):
    """409: the name is taken, or the container's state does not allow it."""
