"""Who acts: known to the web layer, the command line and the audit trail alike."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The person or program behind a use case.

    ``provider_id`` is set when the user is linked to a provider: only such a user may record a decision
    in person. ``origin`` is the remote address, or ``"cli"``.
    """

    user_id: int | None
    role: str  # receptionist | provider | manager | patient | anonymous | system
    provider_id: int | None = None
    origin: str = ""
    request_id: str = ""


SYSTEM = Who(user_id=None, role="system", origin="cli")
