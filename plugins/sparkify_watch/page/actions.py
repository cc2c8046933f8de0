"""What changes something: loads, replays, the cluster; and the pages of cluster and backfills."""

from fastapi import APIRouter

router = APIRouter()
