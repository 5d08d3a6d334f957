"""The pages under Settings: what a manager sets up, without a programmer."""

from planner.web.settings import (  # noqa: F401  each adds its views to the blueprint
    endings,
    feeds,
    messages,
    overview,
    providers,
    rooms,
    rules,
    services,
    sites,
    users,
)
from planner.web.settings.blueprint import blueprint as blueprint
