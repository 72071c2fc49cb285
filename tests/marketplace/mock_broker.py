"""librdkafka's mock cluster with its switches, which confluent-kafka does not expose: broker down, broker refuses."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import confluent_kafka

PRODUCE_REQUEST = 0
MESSAGE_TOO_LARGE = 10
_BROKER = 1
_ERROR_TEXT_BYTES = 512


def _library() -> ctypes.CDLL:
    package = Path(confluent_kafka.__file__).parent
    folders = (package.with_name("confluent_kafka.libs"), package / ".dylibs")
    library = ctypes.CDLL(str(next(path for folder in folders for path in folder.glob("librdkafka*"))))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_handle_mock_cluster"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library


class MockBroker:
    """A broker that can go away and come back on the same address."""

    def __init__(self, brokers: int = 1) -> None:
        self._library = _library()
        text = ctypes.create_string_buffer(_ERROR_TEXT_BYTES)
        settings = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        for name, value in ((b"test.mock.num.brokers", b"%d" % brokers), (b"log_level", b"0")):
            self._library.rd_kafka_conf_set(settings, name, value, text, len(text))
        self._handle = ctypes.c_void_p(self._library.rd_kafka_new(0, settings, text, len(text)))
        self._cluster = ctypes.c_void_p(self._library.rd_kafka_handle_mock_cluster(self._handle))
        self.address: str = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    @classmethod
    @contextmanager
    def running(cls, brokers: int = 1) -> Iterator[Self]:
        broker = cls(brokers)
        yield broker
        broker._library.rd_kafka_destroy(broker._handle)

    def go_down(self, broker: int = _BROKER) -> None:
        self._library.rd_kafka_mock_broker_set_down(self._cluster, broker)

    def come_up(self, broker: int = _BROKER) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, broker)

    def coordinate(self, transactional_id: str, broker: int = _BROKER) -> None:
        """Have a broker be the one that decides on the transactions of a producer."""
        self._library.rd_kafka_mock_coordinator_set(
            self._cluster, b"transaction", transactional_id.encode(), ctypes.c_int32(broker)
        )

    def lead(self, topic: str, partition: int, broker: int) -> None:
        """Have a broker lead a partition."""
        self._library.rd_kafka_mock_partition_set_leader(
            self._cluster, topic.encode(), ctypes.c_int32(partition), ctypes.c_int32(broker)
        )

    def refuse(self, requests: int, error: int = MESSAGE_TOO_LARGE) -> None:
        """Answer the next produce requests with an error that is not worth a retry."""
        self._library.rd_kafka_mock_push_request_errors(
            self._cluster, ctypes.c_int16(PRODUCE_REQUEST), ctypes.c_size_t(requests), *[error] * requests
        )
