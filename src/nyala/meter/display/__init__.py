"""The meter's face: the segments of the LCD, its lists of items, the LEDs, and their rendering as text and as JSON.

segments   the glass: digits, OBIS field, annunciators (`segments.csv`)
reading    what the face asks of a meter: `Reading`, `Signs`, `Ratio`
number     a catalogue integer as eight digits: scale, ratio, cut, roll-over
lists      which items are shown in which order (`scroll.csv`)
machine    button, scroll, segment test, times: a transition table
lcd        the frame: what is lit and what blinks
leds       the LEDs of cover and module as functions of time
text       a face as text for a terminal
"""
