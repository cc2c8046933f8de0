"""What DAG files share: the datasets, and the forms of their DAGs."""

from definitions.dataset import Dataset
from definitions.sparkify import SPARKIFY
from definitions.stores import STORES

DATASETS: tuple[Dataset, ...] = (SPARKIFY, STORES)
"""Every dataset of the warehouse."""
