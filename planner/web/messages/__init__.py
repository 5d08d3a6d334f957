"""What one patient was told, and how they wish to be told."""

from planner.web.messages.views import blueprint as blueprint
