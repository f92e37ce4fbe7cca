"""Pure: what tasks and containers need next."""
