"""Courses: the course screen, its lists and its plan on paper."""

from planner.web.courses.views import blueprint

__all__ = ["blueprint"]
