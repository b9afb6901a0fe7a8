"""Write the JSON schema of ``metrics.json`` that ships with the package."""

from __future__ import annotations

import json
from pathlib import Path

from simulacra.validation import schema

if __name__ == "__main__":
    target = Path(schema.__file__).with_name(schema.SCHEMA_FILE)
    target.write_text(json.dumps(schema.metrics_schema(), indent=1) + "\n", encoding="utf-8")
