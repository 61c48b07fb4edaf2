"""Pages that show more than one slice knows."""
