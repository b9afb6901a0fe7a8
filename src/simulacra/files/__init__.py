"""Files: whole or not at all, with digests and provenance; YAML, JSON and tensors."""
