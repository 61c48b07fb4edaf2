"""Tells those who run the app how it is doing: logs, health, metrics, telemetry. docs/operations.md explains it."""
