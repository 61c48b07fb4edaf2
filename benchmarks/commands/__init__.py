"""The commands of `python -m benchmarks`, one a module: each has a function `run`, which needs no command line."""
