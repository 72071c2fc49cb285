"""Tests of `manage.py doctor`: each fault is planted for real."""
