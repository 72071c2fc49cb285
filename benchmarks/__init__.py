"""Speed and memory of the marketplace as ratios to other ways of doing the same: `python -m benchmarks --help`."""
