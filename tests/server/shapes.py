"""Values for the shapes of published models."""

from __future__ import annotations

from typing import Any


def least(shape: Any) -> Any:
    """The smallest value of a shape that boto3 lets pass."""
    if shape is None:
        return {}
    match shape.type_name:
        case "structure":
            names = shape.required_members or list(shape.members)[: shape.is_tagged_union]
            return {name: least(shape.members[name]) for name in names}
        case "list":
            return [least(shape.member)] * shape.metadata.get("min", 0)
        case "map":
            return {}
        case "boolean":
            return False
        case "integer" | "long" | "double" | "float":
            return max(1, shape.metadata.get("min", 1))
        case "timestamp":
            return 0
        case _:
            return shape.enum[0] if shape.enum else "a" * max(1, shape.metadata.get("min", 1))
