"""The school: people, decisions, records."""
