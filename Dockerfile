# syntax=docker/dockerfile:1
# Build: docker build -t incident-responder .
# Run:   docker run --rm --read-only --tmpfs /tmp -v responder:/data -e SLACK_BOT_TOKEN -e SLACK_APP_TOKEN incident-responder

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY adapters adapters
COPY storage storage
# The build backend comes with its hash from the development lock; nothing unlocked is fetched.
COPY requirements-dev.txt .
RUN python -m venv /opt/build \
 && awk '/^uv-build==/{p=1} p{print} p&&!/\\$/{exit}' requirements-dev.txt > /tmp/build.txt \
 && /opt/build/bin/pip install --no-cache-dir --no-deps --require-hashes -r /tmp/build.txt \
 && PATH=/opt/build/bin:$PATH /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
 && /opt/venv/bin/pip install --no-cache-dir --no-deps /tmp/wheel/*.whl
# Bytecode is compiled here, because the root file system may be read-only later and crewai imports 2,000 modules.
RUN /opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib || true

FROM python:3.12-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin responder
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/data \
    BOT_DATA_DIR=/data \
    BOT_LOG_JSON=true \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["incident-responder", "doctor", "--alive"]
ENTRYPOINT ["incident-responder"]
CMD ["run"]
