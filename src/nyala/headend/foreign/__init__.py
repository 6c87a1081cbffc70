"""Meters of other makers: their payload codecs run in a sandbox (`sandbox`), their fields become quantities of the catalogue
(`mapping`), their registers become intervals (`edges`).
"""
