"""Prefect flows and the command line; the only room that knows the others."""
