"""`wasmoor component list`: what the admin port of a running `serve`, or of a pod, says about its components."""

from __future__ import annotations

import httpx2
from pydantic import ValidationError
from rich.table import Table

from wasmoor_runtime.cli import output
from wasmoor_runtime.cli.exits import Exit
from wasmoor_runtime.cli.problems import UserError
from wasmoor_runtime.contract.status import PodStatus

_SECONDS = 10.0


async def fetch_status(url: str) -> PodStatus:
    """Return the status; `UserError` says why there is none."""
    if not url.startswith(("http://", "https://")):
        raise UserError(f"--url {url}: write a URL that begins with http:// or https://")
    page = f"{url.rstrip('/').removesuffix('/status')}/status"
    try:
        async with httpx2.AsyncClient(timeout=_SECONDS) as client:
            answer = await client.get(page)
        answer.raise_for_status()
        return PodStatus.model_validate_json(answer.content)
    except httpx2.HTTPStatusError as error:
        raise UserError(
            f"{page}: answered {error.response.status_code}: name the admin port (`serve --admin-port`) with --url",
            code=Exit.UNREACHABLE,
        ) from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        text = f"{page}: {str(error) or type(error).__name__}: start `wasmoor serve`, or name its admin port with --url"
        raise UserError(text, code=Exit.UNREACHABLE) from error
    except ValidationError as error:
        text = f"{page}: is not the status of a wasmoor runtime: name its admin port with --url"
        raise UserError(text, code=Exit.UNREACHABLE) from error


def render_status(status: PodStatus) -> Table:
    """Return a line for each component."""
    rows = [
        (
            f"{each.namespace}/{each.name}",
            each.ready,
            each.phase.value,
            each.reason.value,
            each.tool_count,
            f"{each.workers.busy}/{each.workers.alive}",
            each.artifact.digest[:19] if each.artifact else None,
        )
        for each in status.components
    ]
    return output.render_rows(("COMPONENT", "READY", "PHASE", "REASON", "TOOLS", "BUSY", "DIGEST"), rows)
