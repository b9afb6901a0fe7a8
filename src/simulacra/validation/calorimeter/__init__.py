"""What a validation adds for calorimeters."""
