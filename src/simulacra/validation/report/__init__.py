"""The report: plots, tables and one HTML file."""
