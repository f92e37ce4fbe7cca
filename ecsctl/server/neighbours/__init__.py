"""The services beside ECS that the same endpoint answers, each in its own protocol. `asked.py` is where to begin."""
