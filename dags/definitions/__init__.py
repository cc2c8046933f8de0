"""What DAG files share: the datasets, and the forms of their DAGs."""

from definitions.dataset import Dataset
from definitions.sparkify import SPARKIFY

DATASETS: tuple[Dataset, ...] = (SPARKIFY,)
"""Every dataset of the warehouse."""
