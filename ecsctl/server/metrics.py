"""What is counted, for Prometheus: requests by operation and code, how long they took, and how many are under way."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Those of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        what = "Requests answered; code: OK, or the error's."
        requests = Counter("ecsctl_requests", what, ["operation", "code"], registry=self._registry)
        seconds = Histogram("ecsctl_request_seconds", "How long requests took.", ["operation"], registry=self._registry)
        # found once: to find one takes longer than to count
        self._requests = cache(requests.labels)
        self._seconds = cache(seconds.labels)
        self.under_way = Gauge("ecsctl_requests_under_way", "Requests not answered yet.", registry=self._registry)

    def answered(self, operation: str, code: str, seconds: float) -> None:
        """Note an answer. Operation and code are of our own words: what a client sends may be anything."""
        self._requests(operation, code).inc()
        self._seconds(operation).observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' format."""
        return generate_latest(self._registry)
