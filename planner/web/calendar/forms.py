"""Giving a patient a link."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, validators

from planner.web.forms import IdempotencyField, PlannerForm


class LinkForm(PlannerForm):
    """A new link. The token is made from the key, so that sending it twice makes one link."""

    replaces_others = BooleanField(_l("End the links made before"))
    idempotency_key = IdempotencyField(
        validators=[validators.Length(min=20, max=64, message=_l("Please try again."))]
    )
