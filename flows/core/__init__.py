"""A run as plain functions: what the command line and the Prefect flows both call."""
