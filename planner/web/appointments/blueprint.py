"""The blueprint of the pages about one appointment."""

from flask import Blueprint

blueprint = Blueprint("appointments", __name__)
