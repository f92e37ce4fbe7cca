"""Policies of IAM: what a document says, and what it means for a request. Pure: no clock, no store."""
