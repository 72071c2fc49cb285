# One image for every role of the marketplace: API (the default command), relay, consumer, and the migrate job.

FROM python:3.11-slim-bookworm AS builder
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libmariadb-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /venv
COPY requirements/base.txt requirements/mysql.txt /requirements/
RUN /venv/bin/pip install --no-cache-dir --requirement /requirements/mysql.txt

FROM python:3.11-slim-bookworm
# The C library of mysqlclient, without the compiler that built it.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home marketplace \
    && install --directory --owner=marketplace /srv/data
COPY --from=builder /venv /venv
WORKDIR /srv/marketplace
COPY . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/srv/data
USER marketplace
# The key is of no use outside of this line; the containers get theirs from the environment.
RUN SECRET_KEY=unused-while-building python manage.py collectstatic --no-input
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "--no-ws", "--workers-kill-timeout", "5", "marketplace.wsgi:application"]
