"""Whether a block may go to meters, asked before a second of air is spent on it.  Pure; the meters judge it again."""

from collections.abc import Callable, Sequence

from nyala.headend.foreign.mapping import foreign_model
from nyala.headend.registry import MeterRecord
from nyala.telegram.blocks import Block, BlockKind
from nyala.telegram.firmware import VIRTUAL_MAKER, decode_image, signed_by
from nyala.vocab.errors import BadArgumentError, ConflictError, NotAllowedError, TelegramError


def check_block(
    block: Block, records: Sequence[MeterRecord], model_of: Callable[[int], str], maker: bytes = VIRTUAL_MAKER
) -> None:
    """Refuses a block that these meters would not take.  `model_of`: the model of a telegram code, UnknownError for none.

    NotAllowedError for another maker's meter; BadArgumentError for an image that is none, or that the maker did not sign;
    ConflictError for a meter of another model than an image is for.
    """
    foreign = next((record for record in records if foreign_model(record.model) is not None), None)
    if foreign is not None:
        raise NotAllowedError(f"meter {foreign.serial} ({foreign.model}): its multicast keys are not ours to make")
    if block.kind is not BlockKind.FIRMWARE:
        return
    try:
        image = decode_image(block.body)
    except TelegramError as error:
        raise BadArgumentError(str(error)) from None
    if image.version != block.version or not signed_by(block.body, maker):
        raise BadArgumentError(f"firmware {image.version:#06x} is not signed by the maker of these meters")
    model = model_of(image.model)
    other = next((record for record in records if record.model != model), None)
    if other is not None:
        raise ConflictError(f"meter {other.serial} is a {other.model}: this firmware is for {model}")
