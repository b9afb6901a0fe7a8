"""GFlash: electromagnetic showers from formulas (Grindhammer and Peters, hep-ex/0001020)."""
