"""Warnings about graphs that compute what their author did not mean, found without running them."""
