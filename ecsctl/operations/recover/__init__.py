"""Rebuilding a lost state: look at the hosts, read what the labels of the containers say, write it down."""
