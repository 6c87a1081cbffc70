"""One relational schema for SQLite and PostgreSQL (SQLAlchemy Core).  SQL is written here and nowhere else."""

from typing import Final

DEFAULT: Final = "./nyala-data"
"""Where a store is when nothing else is said: a folder with `nyala.sqlite`."""
