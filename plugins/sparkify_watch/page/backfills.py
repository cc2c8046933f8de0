"""Backfills."""

from fastapi import APIRouter

router = APIRouter()
