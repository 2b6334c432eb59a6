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
# without CUDA, which is 3 GB that nothing here uses
"$ENVIRONMENT/bin/python" -m pip install --quiet --extra-index-url https://download.pytorch.org/whl/cpu \
    --constraint "$AUTOGRADER/source/constraints.txt" "$AUTOGRADER/source"
# the data are downloaded and decoded now, not while a student waits
XDG_CACHE_HOME="$ENVIRONMENT/cache" "$ENVIRONMENT/bin/python" -P -c 'from grader import finding; finding.default().data(None)'
