"""The use cases: one public function is one thing a person does."""

from planner.db.idempotency import Idempotency

__all__ = ["Idempotency"]
