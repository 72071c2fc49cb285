"""Real servers as processes of their own, which tests may stop, kill, pause and start again on the same data."""
