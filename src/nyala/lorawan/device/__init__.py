"""The LoRaWAN 1.0.4 end device, classes A and C: sans-I/O.  `mac.DeviceMac` is the way in."""
