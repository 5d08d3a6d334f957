"""One appointment: booked, moved, swapped, and carried through the day."""

from planner.web.appointments import acts, here, views
from planner.web.appointments.blueprint import blueprint

__all__ = ["acts", "blueprint", "here", "views"]
