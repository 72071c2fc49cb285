"""Servers that quickstart and the tests start when none are configured: a real mongod, librdkafka's own broker."""


class EmbeddedUnavailableError(Exception):
    """This machine cannot run an embedded server; the message says what to do instead."""
