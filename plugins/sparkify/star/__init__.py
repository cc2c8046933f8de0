"""One SELECT into a fact or dimension table."""
