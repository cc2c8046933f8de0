"""What the processes of a sandbox are, and what they share: settings, secrets, PostgreSQL."""
