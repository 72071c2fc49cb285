# One image for every role of the marketplace: API (the default command), relay, consumer, and the migrate job.

FROM python:3.11-slim-bookworm AS builder
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libmariadb-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
# Its pip stays here.
RUN python -m venv --without-pip /venv
COPY requirements/base.txt requirements/mysql.txt requirements/tracing.txt /requirements/
RUN pip --python /venv/bin/python install --no-cache-dir \
    --requirement /requirements/mysql.txt --requirement /requirements/tracing.txt \
    # A quarter of it are translations, and the marketplace speaks English only.
    && find /venv -path '*/LC_MESSAGES/*' -not -path '*/en/*' -delete

FROM python:3.11-slim-bookworm
# The C library of mysqlclient, without the compiler that built it; and nothing that installs packages of Python.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
    && useradd --system --uid 10001 --no-create-home marketplace
COPY --from=builder /venv /venv
WORKDIR /srv/marketplace
COPY . .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/srv/data \
    METRICS_PORT=9464 METRICS_HOST=0.0.0.0
# All files are root's: the processes change none, so the image runs with a read-only root file system and a /tmp. The
# key is of no use outside of this line; the containers get theirs from the environment.
RUN SECRET_KEY=unused-while-building python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q .
# As a number, which Kubernetes needs to see that it is not root.
USER 10001
EXPOSE 8000 9464
# Of every role. The API's own port is for whoever starts it to ask for as well.
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=5 \
    CMD ["python", "-m", "marketplace.observability.probe"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--workers", "2"]
