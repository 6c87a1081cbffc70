"""A bank of two meters against the plain model: a list of sums, second by second."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nyala.meter.bank import CHANNELS, PROFILE_CHANNELS, Status
from nyala.meter.tariff import DAY_MINUTES, DayProgram
from nyala.vocab.quantities import RATES, Channel
from tests.unit.meter.banks import NS, Plain, bank, rows_of, total_mws

rows = st.integers(0, 1)
energies = st.lists(st.sampled_from([0, 1, 3_599_999, 3_600_000, 10**9, 7 * 10**10]), min_size=CHANNELS, max_size=CHANNELS)
SEGMENT_S = 7_200


class Meters(RuleBasedStateMachine):
    """Two rows that go their own ways; each has its plain twin."""

    def __init__(self) -> None:
        super().__init__()
        self.bank = bank(2, ring_days=30)
        self.plain = [Plain(), Plain()]

    @rule(row=rows, energy=energies, length=st.integers(1, SEGMENT_S))
    def a_signal_comes(self, row: int, energy: list[int], length: int) -> None:
        plain = self.plain[row]
        self.bank.set_segment(rows_of(self.bank, row), plain.now_s + length, [energy])  # type: ignore[arg-type]
        plain.feed(plain.now_s + length, energy)

    @rule(row=rows, seconds=st.integers(0, 2_000))
    def time_passes(self, row: int, seconds: int) -> None:
        plain = self.plain[row]
        until_s = min(plain.now_s + seconds, plain.end_s)
        self.bank.advance(rows_of(self.bank, row), until_s)
        plain.advance(until_s)

    @rule(seconds=st.integers(0, 2_000))
    def time_passes_for_all(self, seconds: int) -> None:
        until_s = min(max(each.now_s for each in self.plain) + seconds, *(each.end_s for each in self.plain))
        self.bank.advance(rows_of(self.bank), until_s)
        for plain in self.plain:
            plain.advance(until_s)

    @rule(row=rows, error_ns=st.integers(-5 * NS, 5 * NS) | st.sampled_from([-4_000 * NS, 4_000 * NS, 90_000 * NS]))
    def the_clock_is_set(self, row: int, error_ns: int) -> None:
        self.bank.set_clock(row, error_ns)
        self.plain[row].error_ns = error_ns

    @rule(row=rows, minutes=st.lists(st.integers(1, DAY_MINUTES - 1), unique=True, max_size=3), rate=st.integers(1, RATES))
    def a_program_comes(self, row: int, minutes: list[int], rate: int) -> None:
        switches = [(minute, (rate + i) % RATES + 1) for i, minute in enumerate((0, *sorted(minutes)))]
        self.plain[row].program = DayProgram(tuple(switches), 7 * 3600)
        self.bank.set_program(row, self.plain[row].program)

    @rule(row=rows)
    def the_power_falls(self, row: int) -> None:
        self.bank.set_powered(row, powered=False)
        self.plain[row].power(on=False)

    @rule(row=rows)
    def the_power_returns(self, row: int) -> None:
        self.bank.set_powered(row, powered=True)
        self.plain[row].power(on=True)

    @rule(row=rows)
    def the_switch_moves(self, row: int) -> None:
        self.bank.closed[row] = not self.bank.closed[row]
        self.plain[row].closed = bool(self.bank.closed[row])

    @invariant()
    def every_milliwatt_second_is_where_the_plain_meter_has_it(self) -> None:
        for row, plain in enumerate(self.plain):
            assert self.bank.now_s[row] == plain.now_s
            assert self.bank.clock_s(row) == plain.clock_s
            for channel in Channel:
                real = [total_mws(self.bank, row, channel, column) for column in range(1 + RATES)]
                assert real == plain.registers[channel]
                assert real[0] == sum(real[1:])
            assert self.bank.withheld_mws[row].tolist() == plain.withheld

    @invariant()
    def every_edge_is_where_the_plain_meter_has_it(self) -> None:
        for row, plain in enumerate(self.plain):
            oldest, last = self.bank.oldest_edge(row), self.bank.last_edge(row)
            assert (oldest, last) == (min(plain.edges), max(plain.edges))
            edges, status = self.bank.edges(row, oldest, last - oldest)
            assert [tuple(each) for each in edges.tolist()] == [plain.edges[edge] for edge in range(oldest, last + 1)]
            dark = {oldest + 1 + place for place, each in enumerate(status) if each & Status.OUTAGE}
            assert dark == plain.outages
            steps = edges[1:] - edges[:-1]
            assert (steps >= 0).all()
            assert (edges[-1] <= self.bank.wh[row, list(PROFILE_CHANNELS), 0]).all()


TestMeters = Meters.TestCase
TestMeters.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
