"""Proofs that an event store keeps its word, for our engines and for other people's."""
