from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.workers.pools import Pools


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory of compiled code for all tests."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
async def pools(cache: Path) -> AsyncIterator[Pools]:
    started = Pools(cache)
    yield started
    await started.close()
