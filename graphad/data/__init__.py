"""Data sets to try nets on, found or fetched when they are first asked for."""

from graphad.data.mnist import Mnist, default_search, load_mnist, mnist
from graphad.data.sources import Search, Source

__all__ = ["Mnist", "Search", "Source", "default_search", "load_mnist", "mnist"]
