"""Drawings of time-projection chambers and of tracks in them."""
