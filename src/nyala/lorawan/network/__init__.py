"""The LoRaWAN 1.0.4 network and join server: sans-I/O.  `server.NetworkServer` is the way in."""
