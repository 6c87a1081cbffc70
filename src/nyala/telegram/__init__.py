"""What a meter and the head-end say to each other over LoRaWAN: codec only, both directions.

`codec.decode` and `codec.encode_*` are the way in; `kinds` is the table of telegrams.  Every telegram decodes alone: no
state of earlier ones is needed, so a lost one breaks nothing but itself.
"""
