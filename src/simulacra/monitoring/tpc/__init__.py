"""Monitoring of TPCs."""
