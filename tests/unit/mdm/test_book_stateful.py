"""The book against a plain model, over merges of every kind, stores, restarts and crashes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nyala.mdm.book import Book
from nyala.mdm.load_day import Key, from_row
from nyala.vocab.quantities import Channel
from nyala.vocab.time import DAY_S
from tests.unit.mdm.books import DAY, EDITED, FIRST, LINEAR, MISSING, OUTAGE, PER_DAY, PERIOD_S, RAW, PlainBook, Shelf

DAYS = 3
meters = st.integers(1, 2)
channels = st.sampled_from([Channel.IMPORT, Channel.EXPORT])
cells = st.tuples(st.integers(0, 3), st.sampled_from([MISSING, RAW, RAW, OUTAGE, LINEAR, EDITED])).map(
    lambda cell: (0 if cell[1] == MISSING else cell[0], int(cell[1]))
)
runs = st.lists(cells, min_size=1, max_size=2 * PER_DAY)
places = st.integers(0, DAYS * PER_DAY - 1)


def with_something(first: int, run: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The run with a value in each day that it touches: nobody says only that nothing is known."""
    known = {(first + at) // PER_DAY for at, (_, quality) in enumerate(run) if quality != MISSING}
    said = []
    for at, cell in enumerate(run, start=first):
        said.append(cell if at // PER_DAY in known else (1, int(RAW)))
        known.add(at // PER_DAY)
    return said


class Books(RuleBasedStateMachine):
    """A book with a small memory over a shelf, and what it should say."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf, self.plain = Shelf(), PlainBook()
        self.book = Book(self.shelf, cache_limit=2)
        self.stored = self.plain.copy()
        self.said: list[tuple[int, Channel, int, list[tuple[int, int]]]] = []

    def merge(self, meter_id: int, channel: Channel, first: int, run: list[tuple[int, int]]) -> None:
        values, qualities = [value for value, _ in run], [quality for _, quality in run]
        added = self.book.merge(meter_id, channel, PERIOD_S, FIRST + first, values, qualities)
        assert added == self.plain.merge(meter_id, channel, FIRST + first, run)

    @rule(meter_id=meters, channel=channels, first=places, run=runs)
    def a_run_comes(self, meter_id: int, channel: Channel, first: int, run: list[tuple[int, int]]) -> None:
        self.said.append((meter_id, channel, first, with_something(first, run)))
        self.merge(*self.said[-1])

    @rule(meter_id=meters, channel=channels, first=places, values=st.lists(st.integers(0, 3), min_size=1, max_size=8))
    def the_meter_reports(self, meter_id: int, channel: Channel, first: int, values: list[int]) -> None:
        self.a_run_comes(meter_id, channel, first, [(value, int(RAW)) for value in values])

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def a_run_comes_again(self, data: st.DataObject) -> None:
        self.merge(*data.draw(st.sampled_from(self.said)))

    @rule(meter_id=meters, channel=channels, day=st.integers(0, DAYS), wh=st.integers(0, 3))
    def a_register_comes(self, meter_id: int, channel: Channel, day: int, wh: int) -> None:
        self.book.set_register(meter_id, channel, PERIOD_S, (DAY + day) * DAY_S, wh)
        self.plain.set_register(meter_id, channel, DAY + day, wh)

    @rule()
    def it_is_stored(self) -> None:
        self.shelf.keep(self.book)
        self.stored = self.plain.copy()

    @rule()
    def the_process_is_killed(self) -> None:
        self.book = Book(self.shelf, cache_limit=2)
        self.plain = self.stored.copy()

    @invariant()
    def every_day_is_as_the_model_says(self) -> None:
        for meter_id in (1, 2):
            for channel in (Channel.IMPORT, Channel.EXPORT):
                for number in range(DAY - 1, DAY + DAYS + 2):
                    self.same(Key(meter_id, number, channel))

    def same(self, key: Key) -> None:
        day, plain = self.book.day(key), self.plain.days.get(key)
        if day is None or plain is None:
            assert (day is None) == (plain is None)
            return
        assert list(zip(day.values.tolist(), day.qualities.tolist(), strict=True)) == plain.cells
        assert (day.version, day.open_wh, day.close_wh) == (plain.version, plain.open_wh, plain.close_wh)

    @invariant()
    def every_version_is_on_the_shelf(self) -> None:
        kept: dict[Key, list[tuple[int, list[tuple[int, int]]]]] = {key: [] for key in self.shelf.rows}
        for row in self.shelf.history:
            day = from_row(row)
            kept[row.key].append((row.version, list(zip(day.values.tolist(), day.qualities.tolist(), strict=True))))
        assert kept == {key: day.earlier for key, day in self.stored.days.items()}
        assert {key: row.version for key, row in self.shelf.rows.items()} == {k: d.version for k, d in self.stored.days.items()}


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=30)
