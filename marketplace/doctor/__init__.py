"""`manage.py doctor`: looks at every setting and server, and names the remedy for each fault.

A file per dependency; importing this package registers their checks.
"""

# ruff: noqa: F401  # for what they register
import marketplace.doctor.clock
import marketplace.doctor.configuration
import marketplace.doctor.host
import marketplace.doctor.kafka
import marketplace.doctor.kafka_settings
import marketplace.doctor.mongodb
import marketplace.doctor.mongodb_indexes
import marketplace.doctor.mongodb_storage
import marketplace.doctor.sql
