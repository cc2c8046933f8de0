"""What people see of the warehouse: its page, its alerts, its report."""
