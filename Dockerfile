# The images of Wasmoor: `--target operator` and `--target runtime`.
#
# BASE is any image with Python 3.11 or newer, its venv module and CA certificates. Build and result share it, so the
# virtual environment finds the same interpreter at the same path. Every dependency is checked against its locked hash.
# Nothing here needs more than a plain Dockerfile builder; building may run under any isolation.
ARG BASE=docker.io/library/python:3.13-slim

# The tools of the build stay in /build; the results never carry pip.
FROM ${BASE} AS builder
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN python3 -m venv /build
COPY requirements/build.txt /src/requirements/
RUN /build/bin/pip install --quiet --no-compile --require-hashes --requirement /src/requirements/build.txt

FROM builder AS wheel
COPY pyproject.toml README.md LICENSE CHANGELOG.md /src/
COPY crds /src/crds
COPY operator /src/operator
COPY runtime /src/runtime
RUN /build/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /dist /src

# Bytecode is compiled here, once: the file system of a running container is read-only.
FROM builder AS operator-environment
COPY requirements/operator.txt /src/requirements/
RUN python3 -m venv --without-pip /opt/wasmoor \
 && /build/bin/pip --python /opt/wasmoor install --quiet --compile --no-deps --require-hashes \
        --requirement /src/requirements/operator.txt
COPY --from=wheel /dist /dist
RUN /build/bin/pip --python /opt/wasmoor install --quiet --compile --no-deps --no-index /dist/*.whl

FROM ${BASE} AS operator
LABEL org.opencontainers.image.title="Wasmoor operator" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=operator-environment /opt/wasmoor /opt/wasmoor
ENV PATH=/opt/wasmoor/bin:/usr/local/bin:/usr/bin:/bin HOME=/nonexistent \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/opt/wasmoor/bin/python", "-m", "wasmoor_operator"]

FROM builder AS runtime-environment
COPY requirements/runtime.txt /src/requirements/
RUN python3 -m venv --without-pip /opt/wasmoor \
 && /build/bin/pip --python /opt/wasmoor install --quiet --compile --no-deps --require-hashes \
        --requirement /src/requirements/runtime.txt
COPY --from=wheel /dist /dist
RUN /build/bin/pip --python /opt/wasmoor install --quiet --compile --no-deps --no-index /dist/*.whl

FROM ${BASE} AS runtime
LABEL org.opencontainers.image.title="Wasmoor runtime" org.opencontainers.image.licenses="Apache-2.0"
COPY --from=runtime-environment /opt/wasmoor /opt/wasmoor
ENV PATH=/opt/wasmoor/bin:/usr/local/bin:/usr/bin:/bin HOME=/nonexistent \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1
WORKDIR /
USER 65532:65532
EXPOSE 8080 9090
ENTRYPOINT ["/opt/wasmoor/bin/python", "-m", "wasmoor_runtime"]
