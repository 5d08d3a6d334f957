"""What a WSGI server loads: ``gunicorn wsgi:app``."""

import os

from planner.app import create_app
from planner.config import from_environment

app = create_app(from_environment(os.environ))
