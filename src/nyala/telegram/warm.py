"""Compiles the kernel that decodes many frames at once, or loads it from its cache.  Run as a module by `make setup`."""

from nyala.telegram.load_model_file import model_of_epoch
from nyala.telegram.load_model_kernel import BatchDecoder
from nyala.vocab.quantities import Channel


def warm() -> None:
    """What the first group of frames of a head-end would else wait for."""
    BatchDecoder(model_of_epoch()).decode((Channel.IMPORT,), [1], [b""])


if __name__ == "__main__":
    warm()
