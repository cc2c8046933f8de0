"""Attacks that ran once and are refused now."""
