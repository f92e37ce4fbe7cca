"""How often: the token buckets of ECS, and what failed of late by where it came from.

Source of the rates: ECS developer guide, "Request throttling for the Amazon ECS API".
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple

from ecsctl.model.errors import ApiError

FAILURES = 20
"""That a source may have in a minute."""
MOST = 10_000
"""Of sources, and of buckets, that are remembered; those not seen for the longest time go first."""
_MINUTE = 60.0


class Rate(NamedTuple):
    """At most so many at once, and so many a second for long."""

    burst: int
    sustained: int


_BUCKETS = (
    (20, 1, "CreateCluster DeleteCluster PutClusterCapacityProviders UpdateCluster UpdateClusterSettings"),
    (50, 20, "DescribeClusters ListClusters"),
    (20, 1, "DeregisterTaskDefinition RegisterTaskDefinition"),
    (50, 20, "DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies"),
    (5, 1, "DeleteTaskDefinitions"),
    (10, 1, "CreateCapacityProvider DeleteCapacityProvider UpdateCapacityProvider"),
    (50, 20, "DescribeCapacityProviders"),
    (20, 10, "TagResource UntagResource"),
    (50, 20, "ListTagsForResource"),
    (10, 1, "DeleteAccountSetting PutAccountSetting PutAccountSettingDefault"),
    (50, 20, "ListAccountSettings"),
    (
        *(100, 40),
        "DeleteAttributes DeregisterContainerInstance ExecuteCommand PutAttributes RunTask StartTask StopTask "
        "UpdateContainerAgent UpdateContainerInstancesState",
    ),
    (100, 20, "DescribeContainerInstances DescribeTasks ListAttributes ListContainerInstances ListTasks"),
    (
        *(200, 120),
        "RegisterContainerInstance SubmitAttachmentStateChanges SubmitContainerStateChange SubmitTaskStateChange",
    ),
    (50, 5, "CreateService DeleteService UpdateService"),
    (100, 20, "DescribeServices ListServices"),
    (50, 20, "DescribeServiceDeployments ListServiceDeployments"),
    (50, 20, "DescribeServiceRevisions"),
    (200, 80, "GetTaskProtection UpdateTaskProtection"),
    (10, 1, "ListServicesByNamespace"),
)
RATES = {action: (n, Rate(*rate)) for n, (*rate, actions) in enumerate(_BUCKETS) for action in actions.split()}
"""Of each action the number of the bucket that it shares with others, and how big that is."""
_OTHERS = (len(_BUCKETS), Rate(50, 20))
"""Actions that ECS's table does not have share one."""


class Throttle:
    """Token buckets of each principal. `times` is how many times as much is allowed as on AWS; 0: everything."""

    def __init__(self, times: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._times = times
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, int], tuple[float, float]] = OrderedDict()
        """Of each how many tokens were left, and when that was."""

    def take(self, principal: str, action: str) -> None:
        """Take a token. ThrottlingException when there is none; the client tries again a little later."""
        if not self._times:
            return
        number, rate = RATES.get(action, _OTHERS)
        now, key = self._clock(), (principal, number)
        full = float(rate.burst * self._times)
        with self._lock:
            left, since = self._buckets.pop(key, (full, now))
            left = min(full, left + (now - since) * rate.sustained * self._times)
            self._buckets[key] = (left - 1 if left >= 1 else left, now)
            _limit(self._buckets)
        if left < 1:
            raise ApiError("ThrottlingException", "Rate exceeded")


class Failures:
    """How often requests of a source were not let in, in the last minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sources: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, address: str) -> bool:
        """Note one more; whether those were too many. `address` is where it came from."""
        now = self._clock()
        source = _source(address)
        with self._lock:
            failed = self._sources.pop(source, None) or deque(maxlen=FAILURES)
            too_many = len(failed) == FAILURES and failed[0] > now - _MINUTE
            if not too_many:
                failed.append(now)
            self._sources[source] = failed
            _limit(self._sources)
        return too_many


def _source(address: str) -> str:
    """The address; of IPv6 the network of which one site has all addresses."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4 or found.ipv4_mapped:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))


def _limit(remembered: OrderedDict[str, deque[float]] | OrderedDict[tuple[str, int], tuple[float, float]]) -> None:
    while len(remembered) > MOST:
        remembered.popitem(last=False)
