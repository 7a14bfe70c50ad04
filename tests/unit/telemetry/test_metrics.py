from __future__ import annotations

from wasmoor_runtime import events
from wasmoor_runtime.contract.status import ComponentStatus, MemoryStatus, Phase, Reason, WorkerStatus
from wasmoor_runtime.ports import Usage
from wasmoor_runtime.telemetry.metrics import Metrics

USED = Usage(cpu_seconds=0.25, memory_bytes=65536, fuel=100, io_operations=3, io_bytes=4096)


def make_status() -> ComponentStatus:
    return ComponentStatus(
        namespace="tools", name="text", contract="c", phase=Phase.RUNNING, reason=Reason.RUNNING, message="",
        ready=True, workers=WorkerStatus(alive=2, busy=1),
        memory=MemoryStatus(current_bytes=4096, peak_bytes=8192, active_instances=1),
    )  # fmt: skip


def test_calls_are_counted_with_what_they_used_and_loads_with_their_time() -> None:
    metrics = Metrics(lambda: [make_status()], version="1.2.3")

    metrics.hear(events.ComponentLoaded("tools/text", 0.2))
    metrics.hear(events.FunctionCompleted("tools/text", "shout", 1, 0.002, USED, b"{}"))
    metrics.hear(events.FunctionFailed("tools/text", "shout", 2, 0.002, USED, "Trapped", "m"))
    metrics.hear(events.FunctionFailed("tools/text", "shout", 3, 0.0, None, "RateLimited", "m"))

    page = metrics.render().decode()
    labels = 'component="tools/text",tool="shout"'
    for line in (
        f'wasmoor_calls_total{{{labels},verdict="Ok"}} 1.0',
        f'wasmoor_calls_total{{{labels},verdict="Trapped"}} 1.0',
        f'wasmoor_calls_total{{{labels},verdict="RateLimited"}} 1.0',
        f"wasmoor_execution_duration_seconds_count{{{labels}}} 3.0",
        f"wasmoor_execution_cpu_seconds_total{{{labels}}} 0.5",
        f"wasmoor_execution_fuel_total{{{labels}}} 200.0",
        f"wasmoor_execution_io_operations_total{{{labels}}} 6.0",
        f"wasmoor_execution_io_bytes_total{{{labels}}} 8192.0",
        'wasmoor_loads_total{component="tools/text"} 1.0',
        'wasmoor_load_duration_seconds_sum{component="tools/text"} 0.2',
        'wasmoor_memory_usage_bytes{component="tools/text"} 4096.0',
        'wasmoor_memory_peak_bytes{component="tools/text"} 8192.0',
        'wasmoor_active_instances{component="tools/text"} 1.0',
        "wasmoor_components_loaded 1.0",
        'wasmoor_info{version="1.2.3"} 1.0',
    ):
        assert line in page.splitlines(), line
    assert "wasmoor_events" not in page
