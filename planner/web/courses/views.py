"""The course screen. Planning is asked by GET and changes nothing; everything that does is a POST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from planner import wording
from planner.actions import courses as actions
from planner.errors import Invalid, KeyReused, Refused, Stale
from planner.queries import course_plan, sharing
from planner.queries import courses as queries
from planner.queries import names as known_names
from planner.queries.course_view import CoursePage, Pick, Sentence
from planner.scheduling.timetable import Conflict, Status
from planner.web import context, security, undo
from planner.web.appointments import asked
from planner.web.courses import plan_form
from planner.web.courses.forms import GapForm, NewCourseForm

blueprint = Blueprint("courses", __name__)

STATUSES = {
    "book": Status.BOOKED,
    "first": Status.BOOKED,
    "hold": Status.HELD,
    "reserve": Status.RESERVED,
}
TYPED = ("reason", "package", "call_back_note", "decision_reason", "decided_by")
Answer = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a POST was not done, above the page that it was sent from.

    Reasons that stand at a session are ``at_sessions``: only which sessions they are about is said above.
    """

    title: str
    text: str = ""
    sentences: tuple[Sentence, ...] = ()
    at_sessions: tuple[Sentence, ...] = ()


@blueprint.get("/courses")
def index() -> Answer:
    """Work lists: what is undecided, held, reserved, not booked, or at risk."""
    page = queries.lists(locale=context.locale(), now=context.now())
    return render_template("courses/index.html", page=page)


@blueprint.route("/patients/<key>/courses/new", methods=["GET", "POST"])
def new(key: str) -> Answer:
    """Start a course before the provider has ordered one, to reserve its sessions."""
    page = queries.new(key, locale=context.locale())
    form = NewCourseForm(protocols=page.protocols)
    if form.validate_on_submit():
        drafted = actions.draft(
            page.patient_id,
            int(form.protocol.data),
            package=form.package.data or "",
            by=context.who(),
            now=context.now(),
        )
        undo.offer(_("The course is started."), drafted.change_key)
        return redirect(url_for("courses.show", key=drafted.key))
    return render_template("courses/new.html", page=page, form=form), 422 if form.errors else 200


@blueprint.get("/courses/<key>")
def show(key: str) -> Answer:
    """Return the course screen for the wishes and the plan in its address."""
    return _screen(key, request.args)


@blueprint.post("/courses/<key>/book")
def book(key: str) -> Answer:
    """Book, hold or reserve the plan that the form carries."""
    values = request.form
    picks = plan_form.read_picks(values)
    do = values.get("do", "")
    if not picks:
        return _screen(key, values, Refusal(title=_("Nothing was chosen to book.")), status=422)
    if do not in STATUSES:
        return _screen(key, values, Refusal(title=_("Choose what to do.")), status=422)
    numbers = [min(picks)] if do == "first" else sorted(picks)
    try:
        done = actions.book(
            key,
            tuple(_chosen(number, picks[number]) for number in numbers),
            asked.terms(values, STATUSES[do]),
            version=context.version(values),
            wishes=_wishes(values),
            by=context.who(),
            now=context.now(),
            idempotency=context.idempotency(values),
        )
    except (Refused, Stale, Invalid, KeyReused) as error:
        return _refused(key, values, error)
    undo.offer(_done_text(do, len(done.appointments)), done.change_key)
    return redirect(url_for("courses.show", key=key))


@blueprint.post("/courses/<key>/settle")
def settle(key: str) -> Answer:
    """Book what is held or reserved."""
    try:
        done = actions.settle(
            key,
            version=context.version(request.form),
            terms=asked.terms(request.form),
            by=context.who(),
            now=context.now(),
            idempotency=context.idempotency(request.form),
        )
    except (Refused, Stale, Invalid, KeyReused) as error:
        return _refused(key, request.form, error)
    undo.offer(_done_text("book", len(done.appointments)), done.change_key)
    return redirect(url_for("courses.show", key=key))


@blueprint.post("/courses/<key>/release")
def release(key: str) -> Answer:
    """Let go what is held or reserved."""
    try:
        done = actions.release(
            key, version=context.version(request.form), by=context.who(), now=context.now()
        )
    except (Refused, Stale) as error:
        return _refused(key, request.form, error)
    undo.offer(_("Released."), done.change_key)
    return redirect(url_for("courses.show", key=key))


@blueprint.route("/courses/<key>/gaps/<int:number>", methods=["GET", "POST"])
def gap(key: str, number: int) -> Answer:
    """Order another gap before one session of this course alone."""
    page = queries.gap(key, number, locale=context.locale())
    form = GapForm(obj=page.gap)
    if request.method == "POST":
        form.follow_target(page.gap)
    if form.validate_on_submit():
        ordered = form.gap()
        try:
            change = actions.change_gap(
                key,
                number,
                ordered,
                reason=form.reason.data or "",
                version=form.version.data or 0,
                by=context.who(),
                now=context.now(),
            )
        except Stale:
            form.form_errors.append(_("The course has changed meanwhile. Look again, then save."))
            return render_template("courses/gap.html", page=page, form=form), 409
        undo.offer(
            _(
                "Session %(number)s: %(days)s days after the one before.",
                number=number,
                days=ordered.target,
            ),
            change,
        )
        return redirect(url_for("courses.show", key=key))
    if request.method == "GET":
        form.version.data = page.version
    return render_template("courses/gap.html", page=page, form=form), 422 if form.errors else 200


@blueprint.post("/courses/<key>/package")
def package(key: str) -> Answer:
    """Keep the line about what was sold."""
    try:
        change_key = actions.set_package(
            key,
            request.form.get("package", ""),
            version=context.version(request.form),
            by=context.who(),
            now=context.now(),
        )
    except (Refused, Stale, Invalid) as error:
        return _refused(key, request.form, error)
    undo.offer(_("Saved."), change_key)
    return redirect(url_for("courses.show", key=key))


@blueprint.post("/courses/<key>/ask")
def ask(key: str) -> Answer:
    """Ask the provider for the interval."""
    change_key = actions.ask_provider(key, by=context.who(), now=context.now())
    undo.offer(_("It is on the providers’ list."), change_key)
    return redirect(url_for("courses.show", key=key))


@blueprint.post("/courses/<key>/status")
def status(key: str) -> Answer:
    """Pause, resume or end the course."""
    values = request.form
    who, now, version = context.who(), context.now(), context.version(values)
    reason = values.get("reason", "")
    try:
        match values.get("do", ""):
            case "pause":
                done = actions.pause(key, reason=reason, version=version, by=who, now=now)
                undo.offer(_("The course is paused."), done.change_key)
            case "end":
                done = actions.end(key, reason=reason, version=version, by=who, now=now)
                undo.offer(_("The course is ended."), done.change_key)
            case "resume":
                change = actions.resume(key, version=version, by=who, now=now)
                undo.offer(_("The course goes on."), change)
            case _other:
                return _screen(key, values, Refusal(title=_("Choose what to do.")), status=422)
    except (Refused, Stale, Invalid) as error:
        return _refused(key, values, error)
    return redirect(url_for("courses.show", key=key))


def _screen(
    key: str,
    values: MultiDict[str, str],
    refusal: Refusal | None = None,
    *,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
) -> Answer:
    wanted, wrong = plan_form.read(values, today=context.now().date())
    page = course_plan.page(key, wanted, locale=context.locale(), now=context.now())
    lacks: Mapping[str, str] = {}
    if refusal is not None and refusal.sentences:
        refusal = _as_it_stands(refusal, page, plan_form.read_picks(values))
        lacks = asked.wanting(page.bar.decisions, page.deciders, values)
    html = render_template(
        "courses/show.html",
        exchange=sharing.exchange(
            page.head.patient_key, course_key=key, locale=context.locale(), now=context.now()
        ),
        page=page,
        refusal=refusal,
        errors={**_messages(wrong), **lacks, **(errors or {})},
        typed=values,
        here=security.this_page(url_for("courses.show", key=key)),
        wish_fields=plan_form.wish_fields(values),
        wished=plan_form.wished(values),
        ways=[(way, plan_form.way_on(values, way)) for way in page.ways],
        dropped=plan_form.DROPPED,
        own_provider=asked.own_decision(page.deciders),
        idempotency_key=context.new_idempotency_key(),
    )
    return html, status


def _refused(key: str, values: MultiDict[str, str], error: Exception) -> Answer:
    """Render the same screen with every reason; where a start is gone, with fresh proposals."""
    if isinstance(error, Stale):
        text = _ran_out() if "status" in error.changed else _changed()
        return _screen(key, _without_plan(values), Refusal(title=text), status=409)
    if isinstance(error, Invalid):
        errors = _messages(error.fields)
        return _screen(
            key, values, Refusal(title=_("Please check the form.")), status=422, errors=errors
        )
    if isinstance(error, KeyReused):
        text = _("This form was sent before, with something else in it. Look again, then book.")
        return _screen(key, values, Refusal(title=text), status=422)
    sentences = _sentences(error.conflicts) if isinstance(error, Refused) else ()
    refusal = Refusal(title=_not_done(values.get("do", "")), sentences=sentences)
    return _screen(key, values, refusal, status=409)


def _as_it_stands(refusal: Refusal, page: CoursePage, sent: Mapping[int, Pick]) -> Refusal:
    """Return the refusal with what to do about it; what the page says at a session is not said again.

    A session that has been booked meanwhile stands in its own way, which is not worth saying.
    """
    if not sent.keys() <= {row.number for row in page.rows if not row.is_fixed}:
        return Refusal(title=_changed())
    codes = {sentence.code for sentence in refusal.sentences}
    at_sessions = tuple(said for said in page.bar.found if said.code in codes)
    elsewhere = {said.code for said in at_sessions}
    left = dict.fromkeys(said for said in refusal.sentences if said.code not in elsewhere)
    return replace(
        refusal,
        text=_way_on((*left, *at_sessions), page),
        sentences=tuple(left),
        at_sessions=at_sessions,
    )


def _changed() -> str:
    return str(_("Somebody changed the course meanwhile. This is how it stands now."))


def _ran_out() -> str:
    return str(_("What was held has run out meanwhile. This is how it stands now."))


def _way_on(sentences: tuple[Sentence, ...], page: CoursePage) -> str:
    """Return what to do about a refusal: its most severe reason says which."""
    severities = {sentence.severity for sentence in sentences}
    if severities == {"warn"}:
        return str(_("Tick “Book all the same” beside the button, or choose another time."))
    if severities == {"warn", "decide"}:
        return str(
            _(
                "Record the provider’s decision below and tick “Book all the same” beside the button,"
                " or choose another time."
            )
        )
    if severities == {"decide"}:
        return str(_("Record the provider’s decision below, or choose another time."))
    return str(_("The other proposals below are free now.")) if page.proposals else ""


def _sentences(conflicts: Sequence[Conflict]) -> tuple[Sentence, ...]:
    names = known_names.all_names()
    return tuple(
        Sentence(
            code=conflict.code,
            severity=conflict.severity.value,
            text=wording.conflict(conflict, locale=context.locale(), names=names),
        )
        for conflict in conflicts
    )


def _chosen(number: int, pick: Pick) -> actions.Chosen:
    return actions.Chosen(
        number=number,
        site_id=pick.site_id,
        provider_id=pick.provider_id,
        room_id=pick.room_id,
        starts_at=pick.starts_at,
    )


def _wishes(values: MultiDict[str, str]) -> dict[str, list[str]]:
    return MultiDict(plan_form.wish_fields(values)).to_dict(flat=False)


def _without_plan(values: MultiDict[str, str]) -> MultiDict[str, str]:
    typed = [(name, values[name]) for name in TYPED if name in values]
    return MultiDict([*plan_form.wish_fields(values), *typed])


def _messages(codes: Mapping[str, str]) -> dict[str, str]:
    words = {
        "required": _("Please fill this in."),
        "too_long": _("This is too long."),
        "no_such_date": _("There is no such date. Write it as 2027-03-31."),
        "end_before_start": _("This is before the earliest start."),
        "over": _("This day is over."),
        "too_far": _("This is more than a year away: too far to be planned."),
    }
    return {field: words.get(code, _("Please check this.")) for field, code in codes.items()}


def _not_done(do: str) -> str:
    if do == "hold":
        return str(_("Nothing was held."))
    if do == "reserve":
        return str(_("Nothing was reserved."))
    if do in STATUSES:
        return str(_("Nothing was booked."))
    return str(_("Nothing was changed."))


def _done_text(do: str, count: int) -> str:
    if do == "hold":
        return str(ngettext("One session held.", "%(num)s sessions held.", count))
    if do == "reserve":
        return str(ngettext("One session reserved.", "%(num)s sessions reserved.", count))
    return str(ngettext("One session booked.", "%(num)s sessions booked.", count))
