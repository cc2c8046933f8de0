"""SQL text: its tokens and its literals."""
