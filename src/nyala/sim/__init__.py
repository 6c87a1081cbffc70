"""The world around the centre: consumers, mains, radio, gateways, faults, virtual time, and the checkers of the laws."""
