"""A door: the ECS API over HTTP. It knows the operations as the command line does, and nothing of the command line."""
