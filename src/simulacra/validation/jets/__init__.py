"""What only jets have in a validation."""
