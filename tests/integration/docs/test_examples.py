"""Every example of the pages is run: a page that is wrong is a defect."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import wasmtime

from tests.integration.cli.commands import SECONDS
from tests.integration.docs.pages import Command, File, explain_difference, parse_page
from tests.integration.mcp.pods import find_port
from tests.integration.sources.registries import run_registry
from wasmoor_runtime.cli import exits
from wasmoor_runtime.contract.spec import Limits
from wasmoor_runtime.contract.status import Reason
from wasmoor_runtime.ports import Verdict

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "docs" / "cli.md", ROOT / "docs" / "runtime.md"]


@dataclass(slots=True, kw_only=True)
class Reader:
    """Somebody who does what a page says, in a directory of their own."""

    folder: Path
    words: Mapping[str, str]  # what stands in pages, and what it is here
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def translate(self, text: str, *, back: bool = False) -> str:
        """Return a page's text with this test's addresses, or what was printed with the page's."""
        for word, here in self.words.items():
            text = text.replace(here, word) if back else text.replace(word, here)
        return text

    def environment(self) -> dict[str, str]:
        """Return an environment with this checkout's programs and a cache of its own."""
        programs = str(Path(sys.executable).parent)
        path = os.pathsep.join((programs, os.environ.get("PATH", "")))
        return {**os.environ, "PATH": path, "WASMOOR_CACHE": str(self.folder / "cache"), "COLUMNS": "200"}

    def follow(self, step: Command | File) -> str:
        """Do one step; returns what differs from the page."""
        if isinstance(step, File):
            file = self.folder / step.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.translate(step.text), "utf-8")
            return ""
        return self.start(step) if step.text.endswith("&") else self.run(step)

    def run(self, step: Command) -> str:
        """Run a command to its end."""
        result = subprocess.run(
            ["bash", "-c", self.adapt(step.text)],
            cwd=self.folder, env=self.environment(), text=True, timeout=SECONDS, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if result.returncode != step.code:
            return f"exit code {result.returncode} instead of {step.code}:\n{result.stdout}"
        return explain_difference(step.expected, self.translate(result.stdout, back=True))

    def start(self, step: Command) -> str:
        """Start a `serve` and wait until its tools can be called."""
        text = self.adapt(step.text.removesuffix("&").strip())
        process = subprocess.Popen(
            ["bash", "-c", f"exec {text}"], cwd=self.folder, env=self.environment(), text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.running.append(process)
        end = time.monotonic() + SECONDS
        words = ["bash", "-c", self.adapt("curl -fs http://127.0.0.1:9090/readyz")]
        while subprocess.run(words, capture_output=True, check=False).returncode:
            if process.poll() is not None or time.monotonic() > end:
                return "it did not become ready"
            time.sleep(0.05)
        return ""

    def adapt(self, text: str) -> str:
        """Return a command with this test's ports, which a reader would leave at their defaults."""
        port, admin = (self.words[f"127.0.0.1:{number}"].rpartition(":")[2] for number in (8080, 9090))
        text = self.translate(text)
        text = text.replace("wasmoor serve", f"wasmoor serve --port {port} --admin-port {admin}")
        return text.replace("component list", f"component list --url http://127.0.0.1:{admin}")


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    source = (ROOT / "examples/components/math-wat/math.wat").read_text("utf-8")
    (tmp_path / "math.wasm").write_bytes(wasmtime.wat2wasm(source))
    storage = tmp_path / "registry"
    storage.mkdir()
    with run_registry(storage) as registry:
        words = {"localhost:5000": registry, **{f"127.0.0.1:{n}": f"127.0.0.1:{find_port()}" for n in (8080, 9090)}}
        found = Reader(folder=tmp_path, words=words)
        try:
            yield found
        finally:
            for process in found.running:
                process.kill()
                process.wait()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_the_examples_of_a_page_do_what_it_says(page: Path, reader: Reader) -> None:
    steps = parse_page(page)
    assert any(isinstance(step, Command) for step in steps), "the page has no examples"
    for step in steps:
        difference = reader.follow(step)
        where = f"{page.name}, line {step.line}: {step.text}" if isinstance(step, Command) else step.path
        assert not difference, f"{where}\n{difference}"


def test_the_table_of_exit_codes_is_that_of_the_code() -> None:
    text = PAGES[0].read_text("utf-8")
    assert "\n".join(f"| {code.value} | {meaning} |" for code, meaning in exits.MEANINGS.items()) in text


def test_troubleshooting_has_an_entry_for_every_reason_that_somebody_may_have_to_act_on() -> None:
    text = PAGES[1].read_text("utf-8")
    well = {Reason.LOADING, Reason.LOADED, Reason.REGISTERED, Reason.RUNNING, Reason.TERMINATED}
    missing = [reason.value for reason in Reason if reason not in well and f"| `{reason.value}` |" not in text]
    assert not missing


def test_the_pages_name_every_verdict_and_every_limit() -> None:
    text = PAGES[1].read_text("utf-8")
    missing = [verdict.value for verdict in Verdict if verdict is not Verdict.OK and f"`{verdict.value}`" not in text]
    missing += [name for name in Limits.model_json_schema(by_alias=True)["properties"] if f"`{name}`" not in text]
    assert not missing
