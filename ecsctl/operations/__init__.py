"""The ECS API: one module per resource, one function per action."""
