"""The nouns, in ECS's words."""
