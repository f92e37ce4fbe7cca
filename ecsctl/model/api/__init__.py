"""Requests and responses, one module per resource."""
