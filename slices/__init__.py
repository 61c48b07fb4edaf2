"""The use cases of a library and a school, one folder each. README.md in this folder is the map."""
