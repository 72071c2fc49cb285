"""The service's own routes: name and version, liveness and readiness."""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

import pymongo
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from drf_spectacular.utils import OpenApiExample, extend_schema
from pymongo.errors import PyMongoError
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace import kafka, mongo
from marketplace.api.fields import OneOfField

PROBE_SECONDS = 1.0
# All dependencies are asked at once; one that has not answered by then is unavailable.
READY_SECONDS = 2.0

_INDEX = OpenApiExample(
    "Answer", {"status": "ok", "message": "Marketplace API", "version": settings.VERSION}, response_only=True
)
_HEALTH = OpenApiExample("Answer", {"status": "ok"}, response_only=True)
_READY = OpenApiExample(
    "Ready",
    {"status": "ok", "dependencies": {"mongodb": "ok", "kafka": "unavailable", "sql": "ok"}},
    response_only=True,
    status_codes=["200"],
)
_UNREADY = OpenApiExample(
    "Unready",
    {"status": "unavailable", "dependencies": {"mongodb": "unavailable", "kafka": "ok", "sql": "ok"}},
    response_only=True,
    status_codes=["503"],
)


class HealthSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """That the process is up."""

    status = OneOfField(choices=("ok",), component="HealthStatus")


class ServiceSerializer(HealthSerializer):
    """What answers here."""

    message = serializers.CharField(help_text="Its name.")
    version = serializers.CharField(help_text="Its version.")


class ReadinessSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Whether requests can be served."""

    status = OneOfField(choices=("ok", "unavailable"), component="ReadinessStatus")
    dependencies = serializers.DictField(
        child=OneOfField(choices=("ok", "unavailable"), component="ReadinessStatus"),
        help_text="The state of each by its name: mongodb, kafka, sql.",
    )


class PlainView(APIView):
    """A route that nobody signs in for."""

    authentication_classes = ()
    http_method_names = ["get", "head"]


class IndexView(PlainView):
    @extend_schema(summary="Name and version", responses=ServiceSerializer, examples=[_INDEX])
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Name and version of the service."""
        return Response({"status": "ok", "message": "Marketplace API", "version": settings.VERSION})


class HealthView(PlainView):
    @extend_schema(summary="Is the process up", responses=HealthSerializer, examples=[_HEALTH])
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Answer as long as the process does; for liveness probes."""
        return Response({"status": "ok"})


class ReadinessView(PlainView):
    @extend_schema(
        summary="Do the dependencies answer",
        responses={200: ReadinessSerializer, 503: ReadinessSerializer},
        examples=[_READY, _UNREADY],
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Answer 503 when MongoDB does not answer; Kafka and SQL are named, but writes and reads work without them."""
        states = _states()
        ready = states["mongodb"] == "ok"
        return Response(
            {"status": "ok" if ready else "unavailable", "dependencies": states},
            status=status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE,
        )


class Probe:
    """Asks a dependency in a thread of its own, and never in two: one that hangs holds up that thread and nobody else.

    Whoever asks meanwhile shares the answer.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._running: Future[None] | None = None

    def begin(self) -> "Future[None]":
        """Return the answer to come: an exception when the dependency is away."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                # Not a pool's: the interpreter would wait for it at its end.
                threading.Thread(target=self._run, args=(self._running,), name="readiness", daemon=True).start()
            return self._running

    def _run(self, answer: "Future[None]") -> None:
        try:
            self._ask()
        except Exception as error:  # noqa: BLE001  # it is raised again where the answer is asked for
            answer.set_exception(error)
        else:
            answer.set_result(None)


def _states() -> dict[str, str]:
    answers = {name: probe.begin() for name, probe in _PROBES.items()}
    wait(answers.values(), READY_SECONDS)
    return {name: _state(answer) for name, answer in answers.items()}


def _state(answer: "Future[None]") -> str:
    if not answer.done():
        return "unavailable"
    try:
        answer.result()
    except (PyMongoError, KafkaException, DatabaseError, ImproperlyConfigured):  # the last: its address is not set
        return "unavailable"
    return "ok"


def _ping_mongodb() -> None:
    with pymongo.timeout(PROBE_SECONDS):
        mongo.client().admin.command("ping")


@functools.cache
def _kafka_admin() -> AdminClient:
    return kafka.admin()


def _ping_kafka() -> None:
    _kafka_admin().list_topics(timeout=PROBE_SECONDS)


def _ping_sql() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()  # it is this thread's own


_PROBES = {"mongodb": Probe(_ping_mongodb), "kafka": Probe(_ping_kafka), "sql": Probe(_ping_sql)}
