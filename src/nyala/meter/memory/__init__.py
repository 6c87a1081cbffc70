"""Non-volatile memory of a meter: modelled parts, a record store over them, the power-fail budget, wear over a life."""
