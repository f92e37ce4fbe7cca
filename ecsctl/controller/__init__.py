"""Look, decide, record, act: the one thing that touches the engines."""
