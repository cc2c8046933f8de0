"""All that knows Sparkify: sample data, a live day, the sample month and the warehouse's report."""
