"""Live events: what was stored reaches the browsers that look, and only those of its tenant."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from nyala.api import live
from nyala.api.live import HEARTBEAT_S, QUEUE_MAX, LiveHub
from nyala.api.routes.fleet import _stream
from nyala.headend.registry import MeterState
from nyala.sim.virtual_time import VirtualTimeLoop
from tests.unit.api.estate import CT_METER, NOW_S, OURS, SILENT, THEIRS, is_problem
from tests.unit.store.filled import START_S


def played(story: Callable[[LiveHub], Awaitable[None]]) -> Callable[[], None]:
    """A test that is a story of a hub on virtual time."""

    def test() -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(story(LiveHub()))  # type: ignore[arg-type]

    test.__name__ = getattr(story, "__name__", "story")
    return test


def subscribe(hub, tenant=1, meter=None):
    subscriber = hub.subscribe(tenant, meter)
    assert subscriber is not None
    return subscriber


def waiting(subscriber):
    """The events that wait for a browser, as (name, data)."""
    found = []
    for event in list(subscriber._events):
        name, data = event.decode().rstrip("\n").split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    subscriber._events.clear()
    return found


# -- the hub


@played
async def test_an_event_has_the_form_of_server_sent_events(hub):
    stream = subscribe(hub).events()
    hub.publish(1, 7, "meter", {"id": 7, "text": "a\nb"})
    assert await anext(stream) == b'event: meter\ndata: {"id":7,"text":"a\\nb"}\n\n'


@played
async def test_while_nothing_happens_heartbeats_go_out(hub):
    loop, stream = asyncio.get_running_loop(), subscribe(hub).events()
    times = []
    for _ in range(3):
        assert await anext(stream) == b": still here\n\n"
        times.append(loop.time())
    assert times == pytest.approx([HEARTBEAT_S, 2 * HEARTBEAT_S, 3 * HEARTBEAT_S])


@played
async def test_an_event_does_not_wait_for_the_heartbeat(hub):
    loop, stream = asyncio.get_running_loop(), subscribe(hub).events()
    loop.call_later(4, hub.publish, 1, None, "fleet", {})
    assert (await anext(stream)).startswith(b"event: fleet")
    assert loop.time() == pytest.approx(4)


@played
async def test_events_come_in_their_order(hub):
    stream = subscribe(hub).events()
    for number in range(5):
        hub.publish(1, None, "fleet", {"n": number})
    assert [json.loads((await anext(stream)).split(b"data: ")[1])["n"] for _ in range(5)] == [0, 1, 2, 3, 4]


@played
async def test_who_does_not_keep_up_loses_the_oldest(hub):
    subscriber = subscribe(hub)
    for number in range(QUEUE_MAX + 3):
        hub.publish(1, None, "fleet", {"n": number})
    told = waiting(subscriber)
    assert [told[0][1]["n"], told[-1][1]["n"], len(told)] == [3, QUEUE_MAX + 2, QUEUE_MAX]


@played
async def test_a_browser_hears_its_tenant_and_its_meter_only(hub):
    all_of_it, one, other = subscribe(hub), subscribe(hub, meter=7), subscribe(hub, tenant=2)
    hub.publish(1, 7, "meter", {"id": 7})
    hub.publish(1, 8, "meter", {"id": 8})
    hub.publish(1, None, "fleet", {"id": 0})
    hub.publish(2, 7, "meter", {"id": 70})
    assert [data["id"] for _, data in waiting(all_of_it)] == [7, 8, 0]
    assert [data["id"] for _, data in waiting(one)] == [7, 0]
    assert [data["id"] for _, data in waiting(other)] == [70]


@played
async def test_so_many_browsers_may_listen(hub):
    subscribers = [subscribe(hub) for _ in range(live.SUBSCRIBERS_MAX)]
    assert hub.subscribe(1, None) is None
    hub.leave(subscribers[0])
    assert hub.subscribe(1, None) is not None
    assert len(hub) == live.SUBSCRIBERS_MAX


@played
async def test_a_stream_begins_with_the_pause_before_a_retry_and_ends_when_the_browser_goes(hub):
    subscriber = subscribe(hub)
    stream = _stream(hub, subscriber)
    assert await anext(stream) == b"retry: 3000\n\n"
    hub.publish(1, None, "fleet", {})
    assert (await anext(stream)).startswith(b"event: fleet")
    assert len(hub) == 1
    await stream.aclose()  # type: ignore[attr-defined]
    assert len(hub) == 0


# -- what is told


def listener(estate, tenant=1, meter=None):
    """A browser that looks; made on the estate's own loop."""
    assert estate.client.portal is not None
    return estate.client.portal.call(estate.state.hub.subscribe, tenant, meter)


def tell(estate, *numbers):
    """The shadows of meters were stored."""
    states = [estate.running.registry.state(number) for number in numbers]
    estate.client.portal.call(lambda: [each(states, [], []) for each in estate.running.headend.listeners])


def test_a_shadow_that_was_stored_is_told_to_who_looks(estate):
    browser = listener(estate)
    estate.running.registry.state(SILENT).last_heard_us = NOW_S * 1_000_000
    tell(estate, OURS, SILENT)
    told = waiting(browser)
    assert [name for name, _ in told] == ["meter", "meter", "fleet"]
    meter = told[0][1]
    assert (meter["id"], meter["last_heard_s"], meter["switch"]["state"]) == (OURS, NOW_S - 60, "closed")
    assert meter["live"]["values"] == {"p_w": -230, "u1_v": 2_300}
    assert [register["name"] for register in meter["registers"]] == ["import_wh", "export_wh"]
    assert told[1][1]["live"] is None
    assert meter["alarms"] == [{"alarm": "magnet", "severity": "medium", "since_s": START_S}]
    assert told[2][1] == {"heard": 2, "uplinks_per_minute": 0.0, "alarms": {"high": 0, "medium": 1, "low": 0}}


def test_a_neighbours_meter_is_not_told(estate):
    ours, theirs, one = listener(estate), listener(estate, 2), listener(estate, 1, OURS)
    tell(estate, THEIRS, CT_METER)
    assert [data.get("id") for _, data in waiting(ours)] == [CT_METER, None]
    assert [data.get("id") for _, data in waiting(theirs)] == [THEIRS, None]
    assert [name for name, _ in waiting(one)] == ["fleet"]


def test_a_command_is_told_with_its_steps_once_it_is_stored(estate):
    browser = listener(estate)
    number = estate.order(SILENT, "switch_open").json()["id"]
    estate.ask("POST", f"commands/{number}/cancel")
    told = [data for name, data in waiting(browser) if name == "command"]
    assert [(data["id"], data["state"]) for data in told] == [(number, "queued"), (number, "cancelled")]
    assert [step["state"] for step in told[1]["steps"]] == ["queued", "cancelled"]
    assert told[1] == estate.get(f"commands/{number}")


def test_while_nobody_looks_nothing_is_made(estate):
    states = [MeterState(999)]  # nobody would find this meter
    estate.client.portal.call(lambda: [each(states, [], []) for each in estate.running.headend.listeners])


def test_a_browser_too_many_is_told_so(estate, monkeypatch):
    monkeypatch.setattr(live, "SUBSCRIBERS_MAX", 0)
    assert is_problem(estate.ask("GET", "live"), 409, "conflict")["detail"] == "too many browsers listen"
