"""Tests of `schedule`."""
