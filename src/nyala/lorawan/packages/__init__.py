"""Application packages of the LoRa Alliance: clock synchronisation (TS003), fragmentation (TS004), remote multicast (TS005)."""
