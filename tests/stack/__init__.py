"""The compose file, run for real: `python -m tests.stack` builds the image, brings everything up and tries it.

No tests of pytest: it wants root, Docker, and minutes.
"""
