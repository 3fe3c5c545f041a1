"""Ten minutes of mixed load: `make soak`."""
