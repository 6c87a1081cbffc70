"""The windows of frames: one row a meter, replaced whole.  What is in it is the head-end's (`headend/frames.py`)."""

from sqlalchemy import Connection, select

from nyala.store.rows import Row
from nyala.store.schema_frames import frame_window


def window_row(meter_id: int, kept: bytes) -> Row:
    """The window of a meter."""
    return {"meter_id": meter_id, "kept": kept}


def load_windows(connection: Connection) -> dict[int, bytes]:
    """All windows by meter."""
    return {row.meter_id: row.kept for row in connection.execute(select(frame_window))}
