"""Asks an API server the few things that bring-up waits for. Called by bringup, node and control_plane."""

import http.client
import json
import pathlib
import ssl
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

from tests.cluster.certificates import Pair
from tests.cluster.errors import ClusterError

Question = Callable[[], bool]


class ApiServer:
    """Reads from one API server as one client."""

    def __init__(self, server: str, *, authority: pathlib.Path, client: Pair) -> None:
        self.server = server
        self._address = urllib.parse.urlsplit(server).netloc
        self._context = ssl.create_default_context(cafile=authority)
        self._context.load_cert_chain(client.certificate, client.key)

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a GET; (0, b"") when the server does not answer."""
        return self._ask("GET", path, None)

    def create(self, path: str, document: dict[str, Any]) -> None:
        """POST an object; one that is there already is fine."""
        status, body = self._ask("POST", path, json.dumps(document))
        if status not in {http.client.CREATED, http.client.CONFLICT}:
            raise ClusterError(
                f"the API server refused an object: {status} {body[:200]!r}", where=path, todo="read its log"
            )

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(self._address, timeout=5, context=self._context)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def exists(self, path: str) -> bool:
        """Whether the server answers a GET with 200."""
        return self.get(path)[0] == http.client.OK

    def is_node_ready(self) -> bool:
        """Whether the cluster's only node reports Ready."""
        status, body = self.get("/api/v1/nodes")
        return status == http.client.OK and is_any_node_ready(json.loads(body))


def is_any_node_ready(nodes: dict[str, Any]) -> bool:
    """Whether a NodeList holds a node whose condition Ready is True."""
    return any(
        condition["type"] == "Ready" and condition["status"] == "True"
        for node in nodes.get("items", [])
        for condition in node.get("status", {}).get("conditions", [])
    )


def wait_for(what: str, is_true: Question, *, deadline: float, explain: Callable[[], str], every: float = 0.05) -> None:
    """Ask again and again until it is true.

    Args:
        what: named in the error.
        is_true: the question.
        deadline: seconds.
        explain: called on failure and now and then while waiting; raises when waiting is in vain, else says why.
        every: seconds between two questions.
    """
    end = time.monotonic() + deadline
    while not is_true():
        why = explain()
        if time.monotonic() > end:
            raise ClusterError(f"{what} did not happen within {deadline:.0f} s", where=why, todo="read that log")
        time.sleep(every)
