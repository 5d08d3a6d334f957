"""Rooms of a site, what each can host, and when one is out of service."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from planner.actions.catalogue import absences
from planner.actions.catalogue import rooms as actions
from planner.actions.catalogue.rooms import RoomValues
from planner.errors import Stale
from planner.queries.settings import offers, places
from planner.queries.settings.places import RoomPage, RoomsPage
from planner.web import context
from planner.web.settings import answers
from planner.web.settings.blueprint import blueprint
from planner.web.settings.endings import absence_values
from planner.web.settings.fields import ids, whole
from planner.web.settings.forms import AbsenceForm, RoomForm

Answer = str | Response | tuple[str, int]


@blueprint.route("/sites/<int:site_id>/rooms", methods=["GET", "POST"])
def rooms(site_id: int) -> Answer:
    """The rooms of a site: which can host which service."""
    page = places.rooms(site_id, now=context.now())
    if request.method != "POST":
        return render_template("settings/rooms.html", page=page, ticked=_stored(page), stale=False)
    ticked = {line.id: ids(request.form.getlist(f"room-{line.id}")) for line in page.rooms}
    try:
        _host(page, ticked)
    except Stale:
        html = render_template("settings/rooms.html", page=page, ticked=ticked, stale=True)
        return html, 409
    flash(_("Saved."), "success")
    return redirect(url_for("settings.rooms", site_id=site_id))


@blueprint.route("/sites/<int:site_id>/rooms/new", methods=["GET", "POST"])
def room_new(site_id: int) -> Answer:
    """Add a room to a site."""
    site = places.site(site_id, locale=context.locale(), now=context.now())
    services = offers.service_choices(now=context.now())
    form = RoomForm(services=services)
    if form.validate_on_submit() and answers.saved(form, 0, lambda: _add(site_id, form)):
        flash(_("%(name)s is added.", name=form.name.data), "success")
        return redirect(url_for("settings.rooms", site_id=site_id))
    html = render_template("settings/room.html", form=form, site=site, room=None)
    return html, answers.status(form)


@blueprint.route("/rooms/<int:room_id>", methods=["GET", "POST"])
def room(room_id: int) -> Answer:
    """A room."""
    page = places.room(room_id, locale=context.locale(), now=context.now())
    form = RoomForm(services=page.services, obj=page)
    if request.method != "POST":
        form.services.data = [str(service_id) for service_id in page.service_ids]
    if form.validate_on_submit() and answers.saved(form, page.version, lambda: _change(page, form)):
        flash(_("Saved."), "success")
        return redirect(url_for("settings.room", room_id=room_id))
    html = render_template("settings/room.html", form=form, site=page.site, room=page)
    return html, answers.status(form)


@blueprint.route("/rooms/<int:room_id>/outages", methods=["GET", "POST"])
def outages(room_id: int) -> Answer:
    """When a room is out of service."""
    page = places.room(room_id, locale=context.locale(), now=context.now())
    form = AbsenceForm()
    if form.validate_on_submit() and (
        answers.saved(form, 0, lambda: _break(room_id, form)) is not None
    ):
        flash(_("It is recorded."), "success")
        return redirect(url_for("settings.outages", room_id=room_id))
    return render_template("settings/outages.html", form=form, page=page), answers.status(form)


def _stored(page: RoomsPage) -> dict[int, frozenset[int]]:
    return {line.id: line.service_ids for line in page.rooms}


def _host(page: RoomsPage, ticked: dict[int, frozenset[int]]) -> None:
    shown = frozenset(service.id for service in page.services)
    wanted = {
        line.id: (ticked[line.id] & shown) | (line.service_ids - shown)
        for line in page.rooms
        if not line.is_retired
    }
    versions = {room_id: whole(request.form.get(f"version-{room_id}", "")) for room_id in wanted}
    actions.host(page.site.id, wanted, versions=versions, by=context.who(), now=context.now())


def _add(site_id: int, form: RoomForm) -> int:
    chosen = ids(form.services.data)
    return actions.add(site_id, _values(form), chosen, by=context.who(), now=context.now())


def _change(page: RoomPage, form: RoomForm) -> bool:
    shown = frozenset(service.id for service in page.services)
    actions.change(
        page.id,
        _values(form),
        ids(form.services.data) | (page.service_ids - shown),
        version=form.version.data,
        by=context.who(),
        now=context.now(),
    )
    return True


def _values(form: RoomForm) -> RoomValues:
    return RoomValues(name=form.name.data, note=form.note.data, position=form.position.data or 0)


def _break(room_id: int, form: AbsenceForm) -> tuple[int, ...]:
    values = absence_values(form)
    return absences.record("room", (room_id,), values, by=context.who(), now=context.now())
