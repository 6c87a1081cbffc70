"""One relational schema for SQLite and PostgreSQL (SQLAlchemy Core).  SQL is written here and nowhere else."""
