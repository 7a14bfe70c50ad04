"""The queue: each key at most once, never two workers on one."""

from __future__ import annotations

import asyncio

from wasmoor_operator.controller import Queue
from wasmoor_operator.ports import Key

A = Key("WasmComponent", "tools", "a")
B = Key("WasmComponent", "tools", "b")


async def test_a_key_added_twice_is_taken_once() -> None:
    queue = Queue()
    queue.add(A)
    queue.add(A)
    queue.add(B)
    assert [await queue.take(), await queue.take()] == [A, B]
    assert len(queue) == 0


async def test_a_key_added_while_it_is_worked_on_comes_again_afterwards() -> None:
    queue = Queue()
    queue.add(A)
    await queue.take()

    queue.add(A)
    assert len(queue) == 0
    queue.done(A)

    assert await queue.take() == A


async def test_a_key_that_was_not_added_meanwhile_does_not_come_again() -> None:
    queue = Queue()
    queue.add(A)
    queue.done(await queue.take())
    assert len(queue) == 0


async def test_take_waits_for_the_next_key() -> None:
    queue = Queue()
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add(B)
    assert await waiting == B


async def test_a_later_delay_replaces_an_earlier_one() -> None:
    queue = Queue()
    queue.add_after(A, 3600)
    queue.add_after(A, 0.001)
    assert await asyncio.wait_for(queue.take(), 5) == A


async def test_a_forgotten_key_does_not_come_back() -> None:
    queue = Queue()
    queue.add_after(A, 0.001)
    queue.forget(A)
    queue.add_after(B, 0.005)
    assert await asyncio.wait_for(queue.take(), 5) == B
    assert len(queue) == 0
