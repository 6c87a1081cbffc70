"""The whole device on the wall: a meter, its LoRa module and what it says when.  Sans-I/O; `device.Twin` is the way in."""
