"""What the last run of pytest saw of each criterion, kept in pytest's own cache for ``explain``."""

import datetime
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from grader.records import CriterionResult

CACHE_KEY = "grader/last_run"  # in pytest's cache, which lies in .pytest_cache/v below the root


def keep(config: pytest.Config, results: Iterable[CriterionResult]) -> None:
    """Remember the results, beside those of criteria that this run did not look at."""
    cache = getattr(config, "cache", None)
    if cache is None:  # pytest -p no:cacheprovider
        return
    at = datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
    known = cache.get(CACHE_KEY, None)
    seen = {each.id: {"status": each.status, "feedback": each.feedback, "at": at} for each in results}
    cache.set(CACHE_KEY, {**(known if isinstance(known, dict) else {}), **seen})


def seen(root: Path, criterion: str) -> dict[str, Any] | None:
    """What the last run that looked at a criterion saw: ``status``, ``feedback`` and ``at``; None without one."""
    try:
        known = json.loads((root / ".pytest_cache" / "v" / CACHE_KEY).read_text(encoding="utf-8"))
        found = known[criterion]
        return {name: str(found[name]) for name in ("status", "feedback", "at")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
