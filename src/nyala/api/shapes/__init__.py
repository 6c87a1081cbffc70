"""The shapes of requests and responses.  Energies in whole Wh, instants in seconds UTC, money as text of a decimal number."""
