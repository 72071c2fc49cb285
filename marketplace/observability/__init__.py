"""What operators see of a running process: metrics, liveness and readiness, traces."""
