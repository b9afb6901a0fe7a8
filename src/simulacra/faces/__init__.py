"""How the package shows itself: names on the Tab key, and objects as a short text or a table."""
