"""Which capacity provider each new task is for. Pure.

Source: ECS API_CapacityProviderStrategyItem, and ECS developer guide, "Amazon ECS capacity providers".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ecsctl.model.cluster import CapacityProviderStrategyItem


def sequence(
    strategy: Sequence[CapacityProviderStrategyItem], there: Mapping[str | None, int], count: int
) -> list[str]:
    """The provider of each of `count` new tasks, where they have so many already (`there`).

    First the base of the one that has a base, then by weight: each task goes where it keeps the ratio best, among
    equals to the one that is named first.
    """
    weights = {item.capacity_provider: item.weight or 0 for item in strategy}
    if len(weights) == 1:
        weights = dict.fromkeys(weights, 1)  # the weight of a provider that is alone says nothing
    bases = {item.capacity_provider: item.base or 0 for item in strategy}
    total = {name: there.get(name, 0) for name in weights}
    weighted = [name for name, weight in weights.items() if weight]
    found = []
    for _ in range(count):
        short = [name for name in weights if total[name] < bases[name]]
        best = short or [min(weighted, key=lambda name: (max(0, total[name] - bases[name]) + 1) / weights[name])]
        total[best[0]] += 1
        found.append(best[0])
    return found


def shares(
    strategy: Sequence[CapacityProviderStrategyItem], there: Mapping[str | None, int], count: int
) -> dict[str | None, int]:
    """How many of `count` new tasks each provider of a strategy gets; without a strategy all are of none."""
    return dict(Counter(sequence(strategy, there, count))) if strategy else {None: count}


def names(strategy: Iterable[CapacityProviderStrategyItem] | None) -> list[str]:
    """The providers of a strategy."""
    return [item.capacity_provider for item in strategy or []]
