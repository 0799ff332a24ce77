"""Backends: what runs a graph."""
