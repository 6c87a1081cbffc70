"""Billing: tariffs as data, determinants from load days, bills.  Pure: no store, no clock; money is Decimal, energy whole Wh.

    money         exact decimal arithmetic, the rounding of a line, kWh through transformer ratios
    tariff        what a tariff is; `tariff_file` reads one, and `tariffs/` has those that are shipped
    determinants  load days -> energy and demand of each time-of-use period; each opens down to its intervals
    lines         determinants -> the lines of a bill: one function for each kind of charge
    bill          a whole bill: compute, explain; `bill_json` writes it and reads it back

A bill over missing intervals is refused: estimation comes first (`nyala.mdm`).
"""
