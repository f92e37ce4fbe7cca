"""Requests and responses of services that clients of ECS call too, as far as ecsctl has what they ask for. Each module
is named after its service as botocore names it, and holds what that service's API reference says."""
