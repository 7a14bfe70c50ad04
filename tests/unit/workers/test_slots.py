from __future__ import annotations

import os

from wasmoor_runtime.engine.usage import Reading
from wasmoor_runtime.workers.slots import SlotTable


def test_what_one_side_writes_the_other_side_sees() -> None:
    fd = SlotTable.allocate(3)
    front, worker = SlotTable(fd, 3), SlotTable(fd, 3)
    os.close(fd)

    worker.begin(1, 77, 1234, Reading(5, 6, 7, 8))
    seen = (front.running(), front.find(77), front.find(78), front.call(1), front.used(1))
    worker.end(1)
    after = (front.running(), front.find(77), front.call(1))
    front.close()
    worker.close()

    assert seen == ({1: (77, 1234)}, 1, None, 77, Reading(5, 6, 7, 8))
    assert after == ({}, None, 0)
