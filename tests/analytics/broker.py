"""An embedded Kafka broker as a process, which a test may stop and let go on. It says its address."""

import signal
import sys

import django

if __name__ == "__main__":
    django.setup()
    from marketplace.embedded.kafka import EmbeddedKafka

    broker = EmbeddedKafka()
    sys.stdout.write(f"{broker.start()}\n")
    sys.stdout.flush()
    signal.pause()
