"""Differentiation: graph in, graph out."""
