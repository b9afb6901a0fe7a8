"""Published systems for calorimeters, a module or a folder each."""
