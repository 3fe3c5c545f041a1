"""Measurements of the proxy, as ratios taken in one run: `make bench`."""
