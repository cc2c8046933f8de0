"""What people see of the warehouse: its page, alerts, a report. `sparkify` knows none of it."""
