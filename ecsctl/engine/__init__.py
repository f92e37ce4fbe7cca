"""The port to container engines, Docker and simulated."""
