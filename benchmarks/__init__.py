"""How fast the event store is, measured beside what the same machine could do at best. See README.md."""
