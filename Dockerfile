# finnews in a container: `docker build -t finnews .`, then `docker run --init -v lake:/lake finnews` or compose.yaml.
# Nothing is resolved here: requirements.lock holds every version with its hash.

FROM python:3.11-slim-bookworm AS build
WORKDIR /app
COPY requirements.lock ./
# What only tests and documentation need goes again in the same layer: half a gigabyte, a good part of it Spark.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r requirements.lock \
    && /venv/bin/pip uninstall --yes --quiet pyspark py4j polars moto boto3 botocore sphinx furo mypy ruff hypothesis
COPY . .
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation --editable .

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home finnews \
    && mkdir -p /lake /home/finnews/.local/state/finnews/hosts \
    && chown -R finnews:finnews /lake /home/finnews
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FINNEWS_HOME=/app \
    FINNEWS_LAKE=/lake \
    DO_NOT_TRACK=1 \
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30 \
    PREFECT_LOGGING_EXTRA_LOGGERS=finnews
WORKDIR /app
USER finnews
VOLUME /lake
# serve passes SIGTERM on to its flow runs and ends within eight of the ten seconds that Docker gives.
STOPSIGNAL SIGTERM
ENTRYPOINT ["finnews"]
CMD ["serve"]
