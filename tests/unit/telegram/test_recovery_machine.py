"""Recovery against a model that keeps everything and solves by trying all parities until nothing moves."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nyala.telegram.frame_header import COUNTS
from nyala.telegram.frames import Run, build, decode, rows_of
from nyala.telegram.kept import read
from nyala.telegram.parity import DISTANCES, SENT_MAX, WINDOW_BLOCKS_LEAST, Body, Recovery, SentBodies, xor
from nyala.vocab.quantities import Channel
from tests.unit.telegram.frame_coder import WidthCoder

BORN = 488_889
NOW_S = (BORN + WINDOW_BLOCKS_LEAST) * 3_600
"""All blocks of a run are in the window."""
CODER = WidthCoder()


class Air(RuleBasedStateMachine):
    """A meter that sends blocks, an air that loses, repeats and mixes them, and a head-end that may start again."""

    def __init__(self) -> None:
        super().__init__()
        self.sent, self.recovery = SentBodies(), Recovery(900)
        self.said: dict[int, tuple[int, ...]] = {}
        self.air: list[tuple[Body, bytes | None]] = []
        self.bodies: dict[int, bytes] = {}
        self.parities: dict[int, bytes] = {}
        self.given: dict[int, tuple[int, ...]] = {}

    @precondition(lambda self: len(self.said) < WINDOW_BLOCKS_LEAST)
    @rule(hours=st.integers(1, 12), size=st.integers(0, 300), room=st.sampled_from([11, 53]), parity=st.integers(0, 9))
    def send(self, hours: int, size: int, room: int, parity: int) -> None:
        """Some hours pass."""
        for _ in range(min(hours, WINDOW_BLOCKS_LEAST - len(self.said))):
            number = BORN + len(self.said)
            row = tuple((size * (number + at)) % 337 for at in range(4))
            (built,) = build(Run(4 * number, {Channel.IMPORT: row}), CODER, room, self.sent, parity=parity > 0)
            frame = decode(built.payload)
            assert COUNTS[frame.header.count] == 4
            self.said[number] = row
            self.air.append((Body(frame.header.lead, number, frame.body), frame.parity))

    @precondition(lambda self: self.air)
    @rule(data=st.data(), stays=st.booleans())
    def hear(self, data: st.DataObject, stays: bool) -> None:  # noqa: FBT001
        """A frame is heard; it may be again."""
        at = data.draw(st.integers(0, len(self.air) - 1))
        body, parity = self.air[at] if stays else self.air.pop(at)
        self.take(body, parity)

    @precondition(lambda self: self.air)
    @rule(count=st.integers(1, 30))
    def hear_in_order(self, count: int) -> None:
        """The oldest frames are heard."""
        for body, parity in self.air[:count]:
            self.take(body, parity)
        del self.air[:count]

    @precondition(lambda self: self.air)
    @rule(data=st.data(), burst=st.integers(1, 6))
    def lose(self, data: st.DataObject, burst: int) -> None:
        """Some frames after each other are lost."""
        at = data.draw(st.integers(0, len(self.air) - 1))
        del self.air[at : at + burst]

    @rule()
    def restart(self) -> None:
        """Both sides begin again from what they kept."""
        self.sent, self.recovery = SentBodies(self.sent.kept()), Recovery(900, self.recovery.kept())

    def take(self, body: Body, parity: bytes | None) -> None:
        """What the head-end does with a frame."""
        for each in self.recovery.take(body, parity, NOW_S):
            assert each.number not in self.given
            self.given[each.number] = rows_of(each.lead, each.body, CODER)[Channel.IMPORT]
        self.bodies[body.number] = body.body
        if parity is not None:
            self.parities[body.number] = parity
        self.solve()

    def solve(self) -> None:
        """The model: every parity, again and again."""
        moved = True
        while moved:
            moved = False
            for number, parity in self.parities.items():
                covered = [number - distance for distance in DISTANCES]
                unknown = [each for each in covered if each not in self.bodies]
                if len(unknown) == 1:
                    self.bodies[unknown[0]] = xor([parity, *(self.bodies[each] for each in covered if each in self.bodies)])
                    moved = True

    @invariant()
    def what_is_given_is_what_can_be_known_and_is_true(self) -> None:
        """No more, no less, and nothing else than was said."""
        assert self.given.keys() == self.bodies.keys()
        assert all(self.said[number] == row for number, row in self.given.items())
        assert self.recovery.contradictions == 0
        assert all(len(its.bodies) <= SENT_MAX + 1 for its in read(self.sent.kept())[0].values())


Air.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAir = Air.TestCase
