"""Interval read rate of one gateway: how many meters have their 15-minute intervals complete by next morning.

A world of arrays over `sim.radio.arrays`, to compare practices; not the network's own scheduler.
"""
