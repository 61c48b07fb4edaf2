"""Behind the glass: the log of all events, as pages."""
