"""LoRaWAN 1.0.4: frames, keys, MAC commands, regions, airtime, the device MAC and the network server.  No I/O, no clock."""
