"""What `docker-compose` needs besides its files."""
