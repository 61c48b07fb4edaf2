"""The library: copies of books, readers, and who has which copy."""
