"""A door: what a person or a script types, and what it prints."""
