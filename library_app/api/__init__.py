"""The JSON API: its document, its browsable page, the log, and what is refused before a slice is asked."""
