"""Fusion: its endpoints, and what they know."""
