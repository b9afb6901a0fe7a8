"""Drawings of jet images."""
