"""Fusion in the frameworks of others. Each module needs the packages of its framework, which it names."""
