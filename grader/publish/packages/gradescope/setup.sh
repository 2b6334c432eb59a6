#!/usr/bin/env bash
# Run once by Gradescope, as root, when the image is built: there is a network, and no submission yet.
set -euo pipefail

AUTOGRADER="${AUTOGRADER:-/autograder}"
ENVIRONMENT="${VIT_GRADE_ENVIRONMENT:-/opt/vit-grade}"
PYTHON=python3

if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    apt-get update
    apt-get install -y --no-install-recommends python3.11 python3.11-venv
    PYTHON=python3.11
fi
test -x "$ENVIRONMENT/bin/python" || "$PYTHON" -m venv "$ENVIRONMENT"
# PyTorch without CUDA is 3 GB less: export PIP_EXTRA_INDEX_URL with the index that pytorch.org names for "CPU".
"$ENVIRONMENT/bin/python" -m pip install --quiet --constraint "$AUTOGRADER/source/constraints.txt" "$AUTOGRADER/source"
# the data are downloaded and decoded now, not while a student waits
XDG_CACHE_HOME="$ENVIRONMENT/cache" "$ENVIRONMENT/bin/python" -P -c 'from grader import finding; finding.default().data(None)'
