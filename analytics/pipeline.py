"""What the pipeline tells of itself: how far each partition is, how long events take, and what verifications found.

Written by consumers every few seconds and by verify_analytics at its end; read by the `pipeline` report.
"""

from django.db import models

from analytics.fields import KeyField, LineField, ProseField


class PartitionReport(models.Model):
    """A partition as the consumer that reads it has last seen it: what is stored, and where Kafka's end is."""

    pk = models.CompositePrimaryKey("group_id", "topic", "partition")
    group_id = KeyField(max_length=255)
    topic = KeyField(max_length=249)
    partition = models.IntegerField()
    next_offset = models.BigIntegerField()
    end_offset = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "partition_reports"

    def __str__(self) -> str:
        return f"{self.group_id}: {self.topic}/{self.partition}"


class EventDelay(models.Model):
    """How many events became rows within a minute, by how long they had taken: the upper bound of their bucket."""

    pk = models.CompositePrimaryKey("minute", "up_to_ms")
    minute = models.DateTimeField()
    up_to_ms = models.BigIntegerField()
    events = models.BigIntegerField()

    class Meta:
        db_table = "event_delays"

    def __str__(self) -> str:
        return f"{self.minute}: {self.events} events within {self.up_to_ms} ms"


class VerificationRun(models.Model):
    """One run of verify_analytics that came to its end."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(db_index=True)
    scope = ProseField()
    checked = models.BigIntegerField()
    wrong = models.BigIntegerField()
    mended = models.BigIntegerField()

    class Meta:
        db_table = "verification_runs"

    def __str__(self) -> str:
        return f"{self.scope}, {self.finished_at}: {self.wrong} wrong"


def latest_runs() -> models.QuerySet[VerificationRun]:
    """Return the last run of each scope, the newest first: one that looks at less does not hide the others."""
    newest = VerificationRun.objects.values("scope").annotate(newest=models.Max("id")).values("newest")
    return VerificationRun.objects.filter(pk__in=newest).order_by("-id")


class Export(models.Model):
    """Who has exported what: one row for each CSV that was taken out, when it began and what became of it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    actor = LineField(max_length=150)
    what = KeyField(max_length=100)
    # The query string that chose the rows.
    filters = ProseField()
    # Null until the last row has been sent; a client that went away leaves it so.
    rows = models.BigIntegerField(null=True)

    class Meta:
        db_table = "exports"

    def __str__(self) -> str:
        return f"{self.actor}: {self.what}"


class Desk(models.Model):
    """No table: the permissions that belong to no single one."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_dashboard", "Can see the dashboard"),
            ("export", "Can export tables and charts as CSV"),
            ("manage_dead_letters", "Can retry and discard dead letters"),
        ]

    def __str__(self) -> str:
        return "permissions"
