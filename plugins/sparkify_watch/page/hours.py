"""The heat map of hours and the answers to the analysts' questions."""

from fastapi import APIRouter

router = APIRouter()
