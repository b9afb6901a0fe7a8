"""Embedded samples and shipped simulators by name; samples of several files; shared events."""
