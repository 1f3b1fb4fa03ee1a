"""What was asked and answered, kept in SQLite or PostgreSQL. The only room that knows SQLAlchemy."""
