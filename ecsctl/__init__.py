"""ecsctl: containers the Amazon ECS way, on Docker hosts you already have."""

__version__ = "0.1.0"
