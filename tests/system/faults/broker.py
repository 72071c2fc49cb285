"""`python -m tests.system.faults.broker`: the embedded Kafka broker as a process of its own; prints its address."""

from marketplace.embedded.kafka import EmbeddedKafka
from marketplace.stopping import stop_on_signals

if __name__ == "__main__":
    stop = stop_on_signals()
    broker = EmbeddedKafka()
    print(broker.start(), flush=True)  # noqa: T201  # for the process that started it
    stop.wait()
    broker.stop()
