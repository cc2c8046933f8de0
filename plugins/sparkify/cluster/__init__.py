"""A cluster of ours: made, paused, resumed, removed."""
