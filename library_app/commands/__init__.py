"""The commands that serve no pages, a module for each group of them. `library_app.cli` puts them together."""
