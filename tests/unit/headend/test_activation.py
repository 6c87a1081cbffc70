"""Activation of firmware: every word at every stand, the questions, retries, the way back, taking it back, and a restart."""

import pytest

from nyala.headend.activation import ENDS, LEAD_US, MOVES, VERIFY_US, Activation, Stand, Word
from nyala.lorawan.packages import firmware_layouts as c
from nyala.lorawan.packages.campaign import ORDERS_MAX, TRIES
from nyala.lorawan.packages.commands import TO_DEVICE, Open, PackagePort, decode, encode
from nyala.lorawan.packages.layouts import Command
from nyala.vocab.errors import FrameError
from nyala.vocab.time import US_PER_S, gps_from_utc_us
from tests.unit.headend.fleet import START_S

NOW_US = START_S * US_PER_S
AT_US = NOW_US + 3_600 * US_PER_S
NEW, OLD = 0x0102, 0x0100
HOLDS = Open(c.DevUpgradeImageAns(3), NEW.to_bytes(4, "little"))
SAYS: dict[Word, Command | Open] = {
    Word.HOLDS: HOLDS,
    Word.HOLDS_NONE: c.DevUpgradeImageAns(0),
    Word.HOLDS_OTHER: Open(c.DevUpgradeImageAns(3), OLD.to_bytes(4, "little")),
    Word.WRONG: c.DevUpgradeImageAns(1),
    Word.WRONG_MODEL: c.DevUpgradeImageAns(2),
    Word.TAKEN: c.DevRebootTimeAns(77),
    Word.PASSED: c.DevRebootTimeAns(0),
    Word.STOPPED: c.DevRebootTimeAns(c.CANCEL_TIME),
    Word.NEW: c.DevVersionAns(NEW, 1),
    Word.OLD: c.DevVersionAns(OLD, 1),
}


class Meters:
    """An activation, and meters that answer at once as they are told to."""

    def __init__(self, count: int = 1, **said) -> None:
        self.now_us = NOW_US
        self.activation = Activation(NEW, AT_US, range(1, count + 1), **said)
        self.asked: list[tuple[int, int, type]] = []
        self.answers: dict[type, Command | Open] = {}

    def run(self, hours: float) -> None:
        until_us = self.now_us + int(hours * 3_600 * US_PER_S)
        for _ in range(20_000):
            for order in self.activation.poll(self.now_us):
                [said] = decode(order.payload, TO_DEVICE[PackagePort.FIRMWARE, 1])
                self.asked.append((self.now_us, order.dev_eui, type(said)))
                if isinstance(said, c.DevRebootTimeReq):
                    self.told_s = said.reboot_time
                answer = self.answers.get(type(said))
                if answer is not None:
                    self.activation.answer(order.dev_eui, encode([answer]))
            if self.activation.over or self.activation.next_us > until_us:
                self.now_us = until_us
                return
            self.now_us = max(self.now_us, self.activation.next_us)
        raise AssertionError("it turns on the spot")

    @property
    def stands(self) -> list[Stand]:
        return [meter.stand for meter in self.activation.meters.values()]


def meters(count: int = 1, **answers) -> Meters:
    """Meters that hold the image and take the instant, and what else they answer."""
    made = Meters(count)
    made.answers = {c.DevUpgradeImageReq: HOLDS, c.DevRebootTimeReq: SAYS[Word.TAKEN]} | {
        getattr(c, name): SAYS[word] for name, word in answers.items()
    }
    return made


@pytest.mark.parametrize("word", Word)
@pytest.mark.parametrize("stand", Stand)
def test_every_word_at_every_stand_moves_as_the_table_has_it(stand, word):
    activation = Activation(NEW, AT_US, [1], {1: (stand, "")})
    activation.answer(1, encode([SAYS[word]]))
    assert activation.meters[1].stand is MOVES.get((stand, word), stand)
    assert (stand not in ENDS) or activation.meters[1].stand is stand


def test_a_meter_is_asked_told_and_believed_when_it_says_that_the_new_version_runs():
    one = meters(DevVersionReq=Word.NEW)
    one.run(12)
    assert [kind for *_, kind in one.asked] == [c.DevUpgradeImageReq, c.DevRebootTimeReq, c.DevVersionReq]
    assert one.told_s == gps_from_utc_us(AT_US) // US_PER_S
    assert one.asked[-1][0] == AT_US + VERIFY_US
    assert (one.stands, one.activation.over) == ([Stand.VERIFIED], True)


def test_a_hello_is_enough_and_one_of_the_old_version_says_nothing():
    one = meters()
    one.run(0.5)
    one.activation.hello(1, OLD)
    assert one.stands == [Stand.SCHEDULED]
    one.activation.hello(1, NEW)
    one.activation.hello(9, NEW)
    assert one.stands == [Stand.VERIFIED]


def test_a_meter_that_went_back_is_rolled_back():
    one = meters(DevVersionReq=Word.OLD)
    one.run(1)
    one.answers[c.DevUpgradeImageReq] = SAYS[Word.HOLDS_NONE]
    one.run(12)
    meter = one.activation.meters[1]
    assert (meter.stand, meter.why) == (Stand.ROLLED_BACK, "it holds no image")


def test_a_meter_that_never_starts_is_given_up_after_some_hours():
    one = meters(DevVersionReq=Word.OLD)
    one.run(30)
    assert one.stands == [Stand.FAILED]
    assert sum(kind is c.DevVersionReq for *_, kind in one.asked) <= TRIES


@pytest.mark.parametrize("word", [Word.WRONG, Word.WRONG_MODEL, Word.HOLDS_OTHER])
def test_a_meter_with_another_image_is_told_no_instant(word):
    one = meters(DevUpgradeImageReq=word)
    one.run(12)
    assert (one.stands, one.activation.meters[1].why) == ([Stand.FAILED], word.value)
    assert c.DevRebootTimeReq not in [kind for *_, kind in one.asked]


@pytest.mark.parametrize(("runs", "stand"), [(Word.NEW, Stand.VERIFIED), (Word.OLD, Stand.FAILED)])
def test_a_meter_that_holds_none_may_run_it_already(runs, stand):
    one = meters(DevUpgradeImageReq=Word.HOLDS_NONE, DevVersionReq=runs)
    one.run(1)
    assert one.stands == [stand]


def test_questions_are_put_some_times_ever_later_and_few_at_a_time():
    many = Meters(30)
    many.run(0.005)
    assert len(many.asked) == ORDERS_MAX
    many.run(12)
    assert many.stands == [Stand.FAILED] * 30
    assert len(many.asked) == many.activation.orders == 30 * TRIES
    assert many.activation.meters[1].why == "no answer while staged"


def test_an_instant_that_is_too_near_is_put_off():
    one = meters()
    one.now_us = AT_US
    one.run(0.01)
    assert one.told_s == gps_from_utc_us(AT_US + LEAD_US) // US_PER_S


def test_what_is_taken_back_in_time_starts_nowhere():
    three = meters(2)
    three.run(0.1)
    three.activation.hello(2, NEW)
    three.activation.withdraw(three.now_us)
    assert three.stands == [Stand.WITHDRAWN, Stand.VERIFIED]
    three.answers[c.DevRebootTimeReq] = SAYS[Word.STOPPED]
    three.run(1)
    assert (three.stands, three.told_s) == ([Stand.CANCELLED, Stand.VERIFIED], c.CANCEL_TIME)


def test_it_goes_on_where_it_was():
    known = {1: (Stand.SCHEDULED, ""), 2: (Stand.FAILED, "because"), 3: (Stand.VERIFIED, "")}
    again = Activation(NEW, AT_US, [1, 2, 3], known)
    assert (again.next_us, again.over) == (AT_US + VERIFY_US, False)
    assert again.poll(NOW_US) == []
    assert again.meters[2].why == "because"


def test_what_is_no_message_of_the_package_is_refused():
    with pytest.raises(FrameError):
        meters().activation.answer(1, b"\xff")
