"""What a meter's face would show."""

from pydantic import BaseModel


class FaceOut(BaseModel):
    """One frame of the LCD and the state of the LEDs.

    `digits` and `code` are masks of segments (bit 0 = a ... 6 = g, 7 = the point behind); `leds` says what each does.
    """

    digits: list[int]
    code: list[int]
    signs: list[str]
    blink: list[str]
    backlight: bool
    text: str
    leds: dict[str, str]


class FacesOut(BaseModel):
    """The items of the automatic scroll list, in their order; `item_s` each stays."""

    at: str | None
    """When the meter reported last; null: never."""
    item_s: int
    faces: list[FaceOut]
