"""Sample data: fictional listeners, plays and songs of any size, in the source's exact format."""

from sandbox.demo.sample.generate import Request, SampleError, SampleSummary, generate, generated

__all__ = ["Request", "SampleError", "SampleSummary", "generate", "generated"]
