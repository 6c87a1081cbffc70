"""Firmware management of a device: what it says of its images, and the start that is programmed."""

import pytest

from nyala.lorawan.packages import firmware_layouts as c
from nyala.lorawan.packages.commands import Open, PackagePort, encode
from nyala.lorawan.packages.firmware import REBOOT_MAX_S
from nyala.lorawan.packages.firmware_layouts import CANCEL_COUNTDOWN, CANCEL_TIME, NOW, ImageStatus
from nyala.lorawan.packages.state import FirmwareFacts, ImageDropped, PackagesMemory
from nyala.vocab.errors import FrameError
from tests.unit.lorawan.packages.test_device import CLOCK_S, GPS_S, NOW_US, Device

FW = PackagePort.FIRMWARE


def device(**said):
    return Device(memory=PackagesMemory(firmware=FirmwareFacts(**said)))


def test_it_says_what_runs_and_on_what():
    assert device(running=0x100, hardware=2).answers(FW, c.DevVersionReq()) == [c.DevVersionAns(0x100, 2)]


@pytest.mark.parametrize("status", ImageStatus)
def test_it_says_what_it_thinks_of_its_image_and_a_version_only_of_a_valid_one(status):
    [answer] = device(image=status, next_version=0x101).answers(FW, c.DevUpgradeImageReq())
    valid = status is ImageStatus.VALID
    assert answer == (Open(c.DevUpgradeImageAns(3), b"\x01\x01\x00\x00") if valid else c.DevUpgradeImageAns(status))


@pytest.mark.parametrize(
    ("command", "answer", "reboot_s"),
    [
        (c.DevRebootTimeReq((GPS_S + 90) % 2**32), [c.DevRebootTimeAns(90)], CLOCK_S + 90),
        (c.DevRebootTimeReq((GPS_S - 1) % 2**32), [c.DevRebootTimeAns(NOW)], 7),
        (c.DevRebootTimeReq((GPS_S + REBOOT_MAX_S + 1) % 2**32), [c.DevRebootTimeAns(NOW)], 7),
        (c.DevRebootTimeReq(CANCEL_TIME), [c.DevRebootTimeAns(CANCEL_TIME)], None),
        (c.DevRebootTimeReq(NOW), None, CLOCK_S),
        (c.DevRebootCountdownReq(60), [c.DevRebootCountdownAns(60)], CLOCK_S + 60),
        (c.DevRebootCountdownReq(CANCEL_COUNTDOWN), [c.DevRebootCountdownAns(CANCEL_COUNTDOWN)], None),
        (c.DevRebootCountdownReq(NOW), None, CLOCK_S),
    ],
)
def test_one_start_is_programmed_at_a_time(command, answer, reboot_s):
    """None for an answer: it starts at once, and says nothing."""
    one = device(reboot_s=7)
    if answer is None:
        assert one.hears(FW, command) == []
    else:
        assert one.answers(FW, command) == answer
    assert one.packages.memory.firmware.reboot_s == reboot_s


@pytest.mark.parametrize(
    ("image", "version", "answer", "dropped"),
    [
        (ImageStatus.NONE, 0x101, c.DevDeleteImageAns(1, 0), False),
        (ImageStatus.WRONG, 0x101, c.DevDeleteImageAns(1, 0), False),
        (ImageStatus.VALID, 0x102, c.DevDeleteImageAns(0, 1), False),
        (ImageStatus.VALID, 0x101, c.DevDeleteImageAns(0, 0), True),
    ],
)
def test_only_the_image_that_was_named_is_dropped(image, version, answer, dropped):
    one = device(image=image, next_version=0x101)
    assert one.answers(FW, c.DevDeleteImageReq(version)) == [answer]
    assert (ImageDropped() in one.hears(FW, c.DevDeleteImageReq(version))) == dropped


@pytest.mark.parametrize("command", [c.DevVersionReq(), c.DevRebootCountdownReq(0), c.DevDeleteImageReq(1)])
def test_a_group_starts_and_deletes_nothing(command):
    with pytest.raises(FrameError, match="from a group"):
        device().packages.receive(FW, encode([command]), 1, NOW_US, CLOCK_S)
