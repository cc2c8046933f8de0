"""What people see of the warehouse: the page in Airflow's web UI and what it is made of."""
