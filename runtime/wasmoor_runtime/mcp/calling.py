"""One call of a tool: its arguments are checked, the host runs it, and an answer comes of it, whatever happens.

The SDK's handler (`server`) and the fast path (`fastpath_http`) both call through here; it knows neither of them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wasmoor_runtime.host.component import ComponentHost
from wasmoor_runtime.host.tools import ServedTool
from wasmoor_runtime.mcp import answers, arguments, asks, quickcheck
from wasmoor_runtime.ports import Report, Verdict

_log = logging.getLogger(__name__)


class _Schema:
    """A tool's input schema in the forms that arguments are checked with."""

    def __init__(self, tool: ServedTool) -> None:
        self.tool = tool
        self._quick = quickcheck.compile_check(tool.input_schema)
        # Compiled when a quick look does not do; most tools never need it.
        self._full: arguments.Arguments | None = None

    def explain(self, given: Mapping[str, Any]) -> str:
        """Return "" when the arguments fit, else why they do not."""
        if self._quick(given):
            return ""
        if self._full is None:
            self._full = arguments.Arguments(self.tool.input_schema)
        return self._full.explain(given)


class Caller:
    """Calls the tools of one component."""

    def __init__(self, host: ComponentHost) -> None:
        self._host = host
        self._schemas: dict[str, _Schema] = {}

    async def call(
        self,
        tool: ServedTool,
        given: Mapping[str, Any],
        report: Report | None = None,
        asked: asks.Asks = asks.NOTHING,
    ) -> answers.Answer:
        """Return the answer; raises nothing but `CancelledError`, which ends the call.

        `report` is told how far the call is, if the component says so; `asked` is what the request asks beside.
        """
        try:
            payload, why = self._check(tool, given)
            if why:
                self._host.tell_refused(tool, Verdict.INVALID_ARGUMENTS, why)
                return answers.Answer(verdict=Verdict.INVALID_ARGUMENTS, text=f"InvalidArguments: {why}")
            outcome = await self._host.call(tool, payload, report=report, trace=asked.trace)
            answer = answers.decide_answer(outcome, content=tool.content)
            return replace(answer, usage=asks.render_usage(outcome)) if asked.usage else answer
        except Exception:  # noqa: BLE001 - what escapes would be shown to clients
            _log.exception("defect while answering a call of %s", self._host.id)
            return answers.Answer(verdict=Verdict.CRASHED, text="Crashed: a defect in wasmoor; its log says more")

    def _check(self, tool: ServedTool, given: Mapping[str, Any]) -> tuple[bytes, str]:
        """Return the arguments as JSON, and why they cannot be used, if they cannot."""
        try:
            payload = arguments.render_arguments(given)
        except ValueError as error:
            return b"", f"at /: {error}"
        if len(payload) > arguments.LARGEST_CHECKED:
            return payload, ""
        schema = self._schemas.get(tool.name)
        if schema is None or schema.tool is not tool:
            schema = self._schemas[tool.name] = _Schema(tool)
        return payload, schema.explain(given)
