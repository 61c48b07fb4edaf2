# Two images: the web app (the last stage, what `docker build .` makes) and the pooler in front of its database.
#
#   docker build --tag library-app .
#   docker build --tag library-app --build-arg BASE=registry.example/python .    # any base with Python 3.11 or newer

ARG BASE=python:3.14-slim
ARG POOLER_BASE=debian:trixie-slim

# PgBouncer as Debian packages it. It gets its configuration from whoever runs it.
FROM ${POOLER_BASE} AS pooler
RUN apt-get update \
    && apt-get install --yes --no-install-recommends pgbouncer \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
EXPOSE 6432
ENTRYPOINT ["pgbouncer"]

# The app and what it needs, in the versions of constraints.txt, in one folder. pip does not come along.
FROM ${BASE} AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE.txt ./
COPY eventstore eventstore
COPY slices slices
COPY library_app library_app
RUN python3 -m venv /app \
    && PIP_CONSTRAINT=constraints.txt /app/bin/python -m pip install --no-cache-dir . \
    && /app/bin/python -m pip uninstall --yes pip setuptools

# No secret is in the image: LIBRARY_DSN, LIBRARY_SECRET_KEY and LIBRARY_EMAIL_KEY come from whoever runs it. It writes
# nothing but temporary files, so its root may be read-only if /tmp is not.
FROM ${BASE}
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LIBRARY_HOST=0.0.0.0
USER 10001:10001
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python3", "-c", "\
import os, urllib.request;\
urllib.request.urlopen(f'http://127.0.0.1:{os.environ.get(\"LIBRARY_PORT\", 5000)}/health/ready', timeout=4)"]
ENTRYPOINT ["library-app"]
CMD ["serve"]
