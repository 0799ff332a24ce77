"""Schedules: from a graph to a program on one arena."""
