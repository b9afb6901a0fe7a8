"""Published systems for tracks in a TPC, a module or a folder each."""
