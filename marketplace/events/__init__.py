"""Domain events: the catalogue, the signal hook that fills the outbox, and the relay from the outbox to Kafka."""
