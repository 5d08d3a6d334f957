"""Giving a patient a link."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField

from planner.web.forms import KeyForm


class LinkForm(KeyForm):
    """A new link. The token is made from the key, so that sending it twice makes one link."""

    replaces_others = BooleanField(_l("End the links made before"))
