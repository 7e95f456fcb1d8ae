"""Prefect's side: deployments, schedules, what a flow run leaves beside itself."""
