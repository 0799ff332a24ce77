"""Rewrites: from a graph to an equal, cheaper graph."""
