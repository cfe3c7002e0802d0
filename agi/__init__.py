"""AGI scripts: decide what a caller hears. Never touches the database (import-linter proves it)."""
