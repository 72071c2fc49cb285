"""The services that the marketplace's API is compared with; each serves the same MongoDB data with the same fields."""
