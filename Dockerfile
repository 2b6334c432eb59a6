# The grader as an image, and (--target development) what .devcontainer opens.
#
#     docker build --tag vit-grade .
#     docker run --rm --network none --user "$(id -u):$(id -g)" --volume "$PWD:/work" vit-grade class --html
#
# PyTorch without CUDA is 3 GB less: --build-arg PIP_EXTRA_INDEX_URL=… with the index that pytorch.org names for "CPU".
# The data are put in; with --build-arg DATA=volume they are not, and --volume FOLDER:/data:ro gives them to each run.
#
# Student code is confined in the container as well, by Landlock and seccomp, as an ordinary user (tier T4 of
# docs/threat-model.md): that needs a kernel with Landlock, and a Docker whose own filter lets its calls through (23 or
# later). Where there is none, nothing is graded and a line says so. It needs no --privileged, and nothing mounted from
# the host but what is graded. With --security-opt seccomp=unconfined (and, where AppArmor forbids it, apparmor=unconfined)
# workers get namespaces of their own too (tier T3): their own filter, which is stricter than Docker's, is there either way.

FROM python:3.11-slim AS python
ARG PIP_EXTRA_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

FROM python AS development
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium git make \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --shell /bin/bash developer
USER developer

FROM python AS grader
RUN useradd --uid 10001 --no-create-home grader
RUN python -m venv /opt/vit-grade
ENV PATH=/opt/vit-grade/bin:$PATH
WORKDIR /source
COPY pyproject.toml setup.py MANIFEST.in constraints.txt README.md LICENSE conftest.py check_vit.py ./
COPY grader grader
COPY reference reference
RUN pip install --constraint constraints.txt '.[report]'
ARG DATA=download
RUN mkdir -p /data \
    && if [ "$DATA" = download ]; then \
        XDG_CACHE_HOME=/source/cache python -P -c 'from grader import finding; finding.default().data(None)' \
        && mv /source/cache/vit-grade/FashionMNIST /data; \
    fi
# Any user may be given with --user, and need not have a home.
ENV FASHION_MNIST_ROOT=/data HOME=/tmp
WORKDIR /work
USER grader
ENTRYPOINT ["vit-grade"]
CMD ["--help"]
