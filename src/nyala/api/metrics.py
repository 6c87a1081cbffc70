"""Prometheus metrics of a centre: read from its own counters when they are asked for, so that nothing counts twice."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nyala.app import Centre


class CentreCollector(Collector):
    """All counters of a centre."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def collect(self) -> Iterator[Metric]:
        """The metrics now."""
        centre = self._centre
        for name, text, labelled in (
            ("nyala_refused_frames", "Uplinks that were not taken, by reason", centre.network.refusals),
            ("nyala_headend_events", "What the head-end counted", centre.headend.counts),
            (
                "nyala_gateway_events",
                "What the gateway ports counted",
                sum((b.counts for b in centre.bridges), centre.udp.counts + centre.stations.counts + centre.radio.counts),
            ),
        ):
            family = CounterMetricFamily(name, text, labels=["kind"])
            for kind, count in sorted(labelled.items()):
                family.add_metric([str(kind)], count)
            yield family
        yield CounterMetricFamily("nyala_frames", "Frames received from gateways", value=centre.ingest.frames)
        yield CounterMetricFamily("nyala_duplicates", "Copies beyond the first", value=centre.network.duplicates)
        yield CounterMetricFamily("nyala_commits", "Units of work stored", value=centre.ingest.groups)
        yield CounterMetricFamily("nyala_backfill_requests", "Requests", value=centre.headend.backfill.requests)
        yield GaugeMetricFamily("nyala_sessions", "LoRaWAN sessions", value=len(centre.network.sessions))
        lost = centre.network.sessions.lost
        yield GaugeMetricFamily("nyala_devices_to_readmit", "Devices that lost their memory and cannot join", value=lost)
        yield GaugeMetricFamily("nyala_open_commands", "Commands under way", value=len(centre.headend.tracker.open))
        yield GaugeMetricFamily("nyala_meters", "Meters", value=len(centre.registry))


def text_of(centre: Centre) -> bytes:
    """The metrics in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(CentreCollector(centre))
    return generate_latest(registry)
