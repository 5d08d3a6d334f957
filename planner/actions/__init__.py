"""The use cases: one public function is one thing a person does."""

from planner.db.engine import Idempotency

__all__ = ["Idempotency"]
