"""Ask pods about themselves, in the background: `/status`, and a real MCP handshake with `tools/list`.

Threat: a pod runs what somebody else wrote, and may answer with endless bytes, with nonsense, or never. So every
question has a deadline, every answer a bound, redirects and proxies are not followed, and a pod that does not answer
occupies nothing but its own task: questions are asked by one task for each pod, of which a bounded number is under way
at once, and reconciles read what was answered last. A pod is asked again when Kubernetes reports something new about
it, while it is not ready, and otherwise seldom; the handshake only when contract or tools changed. Called by `observe`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp
import pydantic

from wasmoor_operator import ports, settings
from wasmoor_operator.adapters import handshake
from wasmoor_operator.decide import model, parsing
from wasmoor_runtime.contract import status

logger = logging.getLogger(__name__)

Question = tuple[str, str, bool, int]
"""Address, contract, readiness and restarts: a change of any of these is a reason to ask again."""
PROBLEM_CHARACTERS = 300


@dataclasses.dataclass(slots=True)
class _Followed:
    """What is known of one pod."""

    question: Question
    task: asyncio.Task[None]
    answered: Question | None = None
    report: model.Report = dataclasses.field(default_factory=model.Report)


@dataclasses.dataclass(slots=True)
class _Enrolled:
    """What is known of the tools of one contract."""

    tools_hash: str
    """As the pod reports it: another value means that the tools changed."""
    candidates: tuple[model.Pod, ...]
    task: asyncio.Task[None] | None = None
    registration: model.Registration | None = None


class Pods:
    """What pods answered; fills `ports.Pods`."""

    def __init__(
        self,
        values: settings.PodSettings,
        pace: settings.PaceSettings,
        *,
        on_answer: Callable[[ports.Key], None],
    ) -> None:
        self._values, self._pace, self._on_answer = values, pace, on_answer
        self._slots = asyncio.Semaphore(values.parallel)
        self._session: aiohttp.ClientSession | None = None
        self._followed: dict[ports.Key, dict[str, _Followed]] = {}
        self._enrolled: dict[ports.Key, dict[str, _Enrolled]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def look_up(self, key: ports.Key, pods: Sequence[model.Manifest]) -> ports.PodAnswers:
        """Return the newest answers, and have pods asked where that is due."""
        living = {str(raw["metadata"]["uid"]): parsing.parse_pod(raw) for raw in pods}
        living = {uid: pod for uid, pod in living.items() if pod.ip and not pod.deleting}
        followed = self._followed.setdefault(key, {})
        for uid in followed.keys() - living.keys():
            followed.pop(uid).task.cancel()
        for uid, pod in living.items():
            self._follow(key, uid, pod)
        registrations, enrolling = self._enroll(key, living)
        return ports.PodAnswers(
            reports={
                pod.name: followed[uid].report for uid, pod in living.items() if followed[uid].answered is not None
            },
            registrations=registrations,
            pending=enrolling or any(entry.answered != entry.question for entry in followed.values()),
        )

    def forget(self, key: ports.Key) -> None:
        """Drop what is remembered about a component that is gone."""
        for followed in self._followed.pop(key, {}).values():
            followed.task.cancel()
        for enrolled in self._enrolled.pop(key, {}).values():
            if enrolled.task is not None:
                enrolled.task.cancel()

    async def close(self) -> None:
        """Stop asking."""
        for key in [*self._followed, *self._enrolled]:
            self.forget(key)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _follow(self, key: ports.Key, uid: str, pod: model.Pod) -> None:
        question = (pod.ip, pod.contract, pod.ready, pod.restarts)
        entry = self._followed[key].get(uid)
        if entry is not None and entry.question == question:
            return
        task = self._start(self._ask_on(key, uid, question))
        if entry is None:
            self._followed[key][uid] = _Followed(question=question, task=task)
        else:
            entry.task.cancel()
            entry.question, entry.task = question, task

    async def _ask_on(self, key: ports.Key, uid: str, question: Question) -> None:
        """Ask one pod until its question changes; tell the controller when there is news."""
        address, _, ready, _ = question
        failures = 0
        while True:
            async with self._slots:
                report = await self._ask_status(address)
            entry = self._followed.get(key, {}).get(uid)
            if entry is None or entry.question != question:
                return
            news = entry.answered != question or entry.report != report
            entry.answered, entry.report = question, report
            if news:
                self._on_answer(key)
            failures = failures + 1 if report.status is None else 0
            if failures:
                delay = min(self._pace.poll * 2 ** min(failures, 16) / 2, self._values.retry_max)
            else:
                delay = self._pace.resync if ready else self._pace.poll
            await asyncio.sleep(delay)

    async def _ask_status(self, address: str) -> model.Report:
        url = f"http://{format_host(address)}:{self._values.status_port}/status"
        timeout = aiohttp.ClientTimeout(total=self._values.status_deadline)
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._session.get(url, timeout=timeout, allow_redirects=False) as response:
                if response.status != HTTPStatus.OK:
                    return model.Report(problem=f"{url} answered {response.status}")
                body = await _read_bounded(response, self._values.status_bytes)
            return model.Report(status=status.PodStatus.model_validate_json(body))
        except TimeoutError:
            return model.Report(problem=f"{url} did not answer within {self._values.status_deadline:g} s")
        except pydantic.ValidationError as error:
            return model.Report(problem=f"{url} answered what this operator does not understand: {_shorten(error)}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return model.Report(problem=f"{url} could not be asked: {_shorten(error)}")

    def _enroll(self, key: ports.Key, living: dict[str, model.Pod]) -> tuple[dict[str, model.Registration], bool]:
        """Return the registrations of contracts that ready pods serve, and whether one is still on its way."""
        enrolled = self._enrolled.setdefault(key, {})
        serving: dict[str, list[tuple[model.Pod, str]]] = {}
        for uid, pod in living.items():
            told = self._followed[key][uid].report.status
            served = next((c for c in told.components if c.contract == pod.contract), None) if told else None
            if pod.ready:
                serving.setdefault(pod.contract, [])
                if served is not None and served.ready:
                    serving[pod.contract].append((pod, served.tools_hash))
        for contract in enrolled.keys() - serving.keys():
            gone = enrolled.pop(contract)
            if gone.task is not None:
                gone.task.cancel()
        for contract, candidates in serving.items():
            if candidates:
                self._renew(key, contract, tuple(pod for pod, _ in candidates), candidates[0][1])
        answered = {
            contract: entry.registration for contract, entry in enrolled.items() if entry.registration is not None
        }
        return answered, any(entry.registration is None for entry in enrolled.values())

    def _renew(self, key: ports.Key, contract: str, candidates: tuple[model.Pod, ...], tools_hash: str) -> None:
        entry = self._enrolled[key].get(contract)
        if entry is not None and entry.tools_hash == tools_hash:
            entry.candidates = candidates
            return
        if entry is None:
            entry = _Enrolled(tools_hash=tools_hash, candidates=candidates)
            self._enrolled[key][contract] = entry
        elif entry.task is not None:
            entry.task.cancel()
        entry.tools_hash, entry.candidates = tools_hash, candidates
        entry.task = self._start(self._register(key, entry))

    async def _register(self, key: ports.Key, entry: _Enrolled) -> None:
        """List the tools of one contract, with one ready pod after another until one answers."""
        delay, attempt = self._pace.poll, 0
        while True:
            pod = entry.candidates[attempt % len(entry.candidates)]
            url = f"http://{format_host(pod.ip)}:{self._values.mcp_port}/mcp"
            async with self._slots:
                registration = await self._list_tools(pod.name, url)
            news = registration != entry.registration
            entry.registration = registration
            if news:
                self._on_answer(key)
            if not registration.problem:
                return
            await asyncio.sleep(delay)
            delay, attempt = min(delay * 2, self._values.retry_max), attempt + 1

    async def _list_tools(self, pod: str, url: str) -> model.Registration:
        try:
            tools = await handshake.list_tools(url, deadline=self._values.handshake_deadline)
        except handshake.HandshakeFailed as error:
            return model.Registration(pod=pod, problem=f"{url}: {_shorten(error)}")
        text = json.dumps(sorted(tools, key=lambda tool: str(tool["name"])), sort_keys=True, separators=(",", ":"))
        return model.Registration(
            pod=pod,
            tools=tuple(
                model.Tool(name=str(tool["name"]), description=str(tool.get("description") or "")) for tool in tools
            ),
            tools_hash=f"sha256:{hashlib.sha256(text.encode()).hexdigest()}",
        )

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)
        return task

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("asking a pod failed unexpectedly", exc_info=task.exception())


def format_host(address: str) -> str:
    """Return an address as URLs write it."""
    return f"[{address}]" if ":" in address else address


async def _read_bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise ValueError(f"the answer is larger than {limit} bytes")
    return bytes(body)


def _shorten(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:PROBLEM_CHARACTERS]
