"""The inbox: conversations by queue, one of them open, and what a clerk does with it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, abort, make_response, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from bot.console import refusals, understood
from bot.console.access import CARE, EVERYBODY
from bot.console.inbox_words import WORDS, at_wall, snooze_choices
from bot.console.live import Live, TooManyError
from bot.console.shell import Answer, Console, Desk, desk_session
from scheduling_core import (
    accounts,
    audit,
    booking,
    canned_replies,
    glass,
    handoff,
    inbox,
    inbox_queues,
    patients,
    times,
    transcript,
)
from scheduling_core.clinic_file.loading import current
from scheduling_core.errors import (
    HeldByOtherError,
    NoTextsError,
    QuietHoursError,
    UnfitTextError,
    WrittenSinceError,
    WrongStateError,
)
from scheduling_core.inbox import AtNight, Clerk
from scheduling_core.inbox_queues import Queue, Row
from scheduling_core.models import Channel, StaffAccount, new_id
from scheduling_core.segments import clean, on_air, segments

LOOKS_FOR_SECONDS = 45.0  # two beats of the page, and a little
_LONGEST_NUMBER = 18  # digits: what a column of the database holds


def add_inbox(console: Console) -> None:
    live = Live(console.database)

    @console.blueprint.record_once
    def prepare(state: BlueprintSetupState) -> None:
        state.app.jinja_env.globals.update(inbox_words=WORDS)
        state.app.extensions["inbox"] = live  # ends with the app
        live.render = lambda rows, language: _rendered(state.app, console, rows, language)

    @console.get("/inbox", may=EVERYBODY)
    def inbox_page(desk: Desk) -> Answer:
        fragment = "console/inbox/queue.html" if request.headers.get("HX-Target") == "queue" else "console/inbox/page.html"
        return render_template(fragment, **_queue(desk), talk=None)

    @console.get("/inbox/<conversation_id>", may=EVERYBODY)
    def conversation(desk: Desk, conversation_id: str) -> Answer:
        talk = _talk(console, desk, conversation_id)
        if desk.me.role in CARE:
            inbox.mark_read(desk.session, conversation_id=conversation_id, staff_id=desk.me.id, sequence=talk["seen"])
            _look(desk, conversation_id)
        if request.headers.get("HX-Target") == "talk":
            return render_template("console/inbox/talk.html", **talk)
        return render_template("console/inbox/page.html", **(_queue(desk) | talk))

    @console.look("/inbox/<conversation_id>/fresh", may=EVERYBODY)
    def fresh_conversation(desk: Desk, conversation_id: str) -> Answer:
        return render_template("console/inbox/fresh.html", **_talk(console, desk, conversation_id, again=True))

    @console.look("/inbox/<conversation_id>/looking", may=CARE)
    def looking(desk: Desk, conversation_id: str) -> Answer:
        """A beat of an open page. It is no sign of life of a person, so it writes in a transaction of its own."""
        with console.database.transaction() as session:
            own = Desk(session, desk.clinic, desk.me)
            inbox.get(session, conversation_id)
            _look(own, conversation_id)
            inbox.mark_read(
                session,
                conversation_id=conversation_id,
                staff_id=desk.me.id,
                sequence=_number(request.args.get("seen")),
            )
        return "", 204

    @console.look("/inbox/stream", may=EVERYBODY)
    def inbox_stream(desk: Desk) -> Answer:
        since = request.headers.get("Last-Event-ID") or request.args.get("since", "")
        try:
            browser = desk_session().digest or ""
            stream = live.stream(staff_id=desk.me.id, browser=browser, language=desk.me.language, since=_seconds(since))
        except TooManyError:
            return Response(_("Too many inboxes are open."), 503, {"Retry-After": "5"}, content_type="text/plain; charset=utf-8")
        # nothing between here and the browser may hold it back
        return Response(stream, content_type="text/event-stream; charset=utf-8", headers={"X-Accel-Buffering": "no"})

    @console.post("/inbox/<conversation_id>/claim", may=CARE)
    def claim_conversation(desk: Desk, conversation_id: str) -> Answer:
        def act() -> None:
            inbox.claim(desk.session, conversation_id=conversation_id, clerk=_clerk(desk), seen=_seen_with())

        return _done(console, desk, conversation_id, act)

    @console.post("/inbox/<conversation_id>/assign", may=CARE)
    def assign_conversation(desk: Desk, conversation_id: str) -> Answer:
        kind, _colon, to = request.form.get("to", "").partition(":")
        more: dict[str, Any] = {"conversation_id": conversation_id, "clerk": _clerk(desk), "seen": _seen_with()}

        def act() -> None:
            if kind == "team":
                inbox.assign_to_team(desk.session, desk.clinic, team=to, **more)
            else:
                inbox.assign_to_person(desk.session, staff_id=to, **more)

        return _done(console, desk, conversation_id, act)

    @console.post("/inbox/<conversation_id>/give-back", may=CARE)
    def give_back_conversation(desk: Desk, conversation_id: str) -> Answer:
        def act() -> None:
            inbox.give_back(desk.session, conversation_id=conversation_id, clerk=_clerk(desk), seen=_seen_until())

        return _done(console, desk, conversation_id, act)

    @console.post("/inbox/<conversation_id>/resolve", may=CARE)
    def resolve_conversation(desk: Desk, conversation_id: str) -> Answer:
        def act() -> None:
            inbox.resolve(desk.session, conversation_id=conversation_id, clerk=_clerk(desk), seen=_seen_until())

        return _done(console, desk, conversation_id, act)

    @console.post("/inbox/<conversation_id>/snooze", may=CARE)
    def snooze_conversation(desk: Desk, conversation_id: str) -> Answer:
        until = _instant(desk, request.form.get("until") or request.form.get("until_own", ""))

        def act() -> None:
            inbox.snooze(desk.session, conversation_id=conversation_id, clerk=_clerk(desk), until=until)

        return _done(console, desk, conversation_id, act)

    @console.post("/inbox/<conversation_id>/wake", may=CARE)
    def wake_conversation(desk: Desk, conversation_id: str) -> Answer:
        def act() -> None:
            inbox.wake(desk.session, conversation_id=conversation_id, clerk=_clerk(desk))

        return _done(console, desk, conversation_id, act)

    @console.post("/inbox/<conversation_id>/reply", may=CARE)
    def reply_to_conversation(desk: Desk, conversation_id: str) -> Answer:
        form = request.form

        def act() -> None:
            inbox.reply(
                desk.session,
                desk.clinic,
                conversation_id=conversation_id,
                clerk=_clerk(desk),
                body=form.get("body", ""),
                key=f"reply:{desk.me.id}:{form.get('key', '')[:64]}",
                at_night=AtNight(form.get("at_night", AtNight.ASK)),
            )

        return _done(console, desk, conversation_id, act, written=True)

    @console.post("/inbox/<conversation_id>/note", may=CARE)
    def note_on_conversation(desk: Desk, conversation_id: str) -> Answer:
        def act() -> None:
            body = request.form.get("body", "")
            inbox.add_note(desk.session, conversation_id=conversation_id, clerk=_clerk(desk), body=body)

        return _done(console, desk, conversation_id, act, written=True)

    @console.post("/inbox/<conversation_id>/tasks/<task_id>/done", may=CARE)
    def finish_task_of_conversation(desk: Desk, conversation_id: str, task_id: str) -> Answer:
        def act() -> None:
            inbox.finish_task(desk.session, conversation_id=conversation_id, task_id=task_id, clerk=_clerk(desk))

        return _done(console, desk, conversation_id, act)

    @console.post("/inbox/segments", may=CARE)
    def count_segments(desk: Desk) -> Answer:
        """What the text costs as it stands. A POST, because addresses are logged and the text is a patient's matter."""
        text = clean(request.form.get("body", ""))
        count = segments(on_air(text)) if text else 0
        return render_template(
            "console/inbox/segments.html", characters=len(text), count=count, too_long=len(text) > inbox.LONGEST_TEXT
        )

    console.add_to_menu(_l("Inbox"), "inbox_page", count=lambda desk: inbox_queues.count_waiting(desk.session, desk.me.id))


def _queue(desk: Desk) -> dict[str, Any]:
    """The list on the left, as this member of staff sees it now."""
    since = time.time()
    queue = _queue_asked()
    team = request.args.get("team") or None
    rows = inbox_queues.rows(desk.session, queue, staff_id=desk.me.id, team=team)
    audit.record(
        desk.session,
        agent=desk.agent,
        action="R",
        entity="Conversation",
        detail={"queue": queue, "ids": [row.id for row in rows]},
    )
    marks = inbox_queues.read_marks(desk.session, staff_id=desk.me.id, conversation_ids=[row.id for row in rows])
    return {
        "queue": queue,
        "queues": list(Queue),
        "team": team,
        "teams": desk.clinic.handoff.teams,
        "rows": rows,
        "marks": marks,
        "queue_counts": _counts_of(desk),
        "since": f"{since:.3f}",
        "longest_list": inbox_queues.LONGEST_LIST,
        "now": times.now().timestamp(),
        "at_wall": lambda instant: at_wall(instant, desk.clinic.zone),
    }


def _queue_asked() -> Queue:
    try:
        return Queue(request.args.get("queue", Queue.UNASSIGNED))
    except ValueError:
        abort(404)


def _talk(console: Console, desk: Desk, conversation_id: str, *, again: bool = False) -> dict[str, Any]:
    """One conversation with all that belongs to it. `again`: the page shows it already, and its first look was recorded."""
    session = desk.session
    talk = transcript.get(session, conversation_id) if again else transcript.read(session, conversation_id, agent=desk.agent)
    (row,) = inbox_queues.rows_of(session, [conversation_id], staff_id=desk.me.id)
    if row.patient_id:  # proved, or on file with this number
        glass.check(session, desk.me, patients.get(session, row.patient_id))
    tasks = handoff.open_tasks(session, conversation_id=conversation_id)
    lines = transcript.lines(session, conversation_id)
    return {
        "talk": talk,
        "row": row,
        "lines": lines,
        "seen": max((line.sequence for line in lines), default=0),
        "tasks": tasks,
        "episodes": transcript.episodes(session, talk),
        "visits": booking.upcoming(session, patient_id=talk.patient_id) if talk.patient_id else [],
        "holds": transcript.holds(session, conversation_id),
        "understood": understood.read(console.settings, console.database, desk.clinic, conversation_id),
        "colleagues": [one for one in _colleagues(desk) if one.id != row.assignee_id],
        "teams": desk.clinic.handoff.teams,
        "canned": canned_replies.of_language(session, talk.language),
        "takes_texts": inbox.takes_texts(session, talk),
        "quiet_until": inbox.quiet_until(session, desk.clinic, talk),
        "snooze_choices": snooze_choices(desk.clinic),
        "may_act": desk.me.role in CARE,
        "is_mine": row.assignee_id == desk.me.id,
        "by_phone": talk.channel is Channel.VOICE,
        "queue": _queue_asked(),
        "key": new_id(),
        "services": desk.clinic.services_by_id,
        "practitioners": desk.clinic.practitioners_by_id,
        "at_wall": lambda instant: at_wall(instant, desk.clinic.zone),
    }


def _counts_of(desk: Desk) -> dict[Queue, int]:
    counts = inbox_queues.counts(desk.session)
    mine = counts.mine.get(desk.me.id, 0)
    return {Queue.MINE: mine, Queue.UNASSIGNED: counts.unassigned, Queue.ALL: counts.all, Queue.SNOOZED: counts.snoozed}


def _colleagues(desk: Desk) -> list[StaffAccount]:
    return [one for one in accounts.everybody(desk.session) if one.active and one.role in CARE]


def _done(console: Console, desk: Desk, conversation_id: str, act: Callable[[], None], *, written: bool = False) -> Answer:
    """Does it, and shows the conversation as it stands then; refused, as it stands with the reason. `written`: a text or note."""
    try:
        with desk.session.begin_nested():
            act()
    except QuietHoursError as night:
        until = at_wall(night.until, desk.clinic.zone)
        return _instead("#talk-guard", render_template("console/inbox/at_night.html", until=until), 409)
    except (HeldByOtherError, WrittenSinceError, WrongStateError, NoTextsError, UnfitTextError) as refusal:
        said = render_template("console/refused_fragment.html", sentence=_refusal(refusal))
        if not request.headers.get("HX-Request"):
            return refusals.page(_refusal(refusal), 409)
        status = 422 if isinstance(refusal, UnfitTextError) else 409
        return _instead("#said", said + _fresh(console, desk, conversation_id), status)
    if not request.headers.get("HX-Request"):
        return redirect(url_for("console.conversation", conversation_id=conversation_id), 303)
    answer = make_response(_fresh(console, desk, conversation_id))
    if written:
        answer.headers["HX-Trigger"] = "inbox:written"
    return answer


def _fresh(console: Console, desk: Desk, conversation_id: str) -> str:
    return render_template("console/inbox/fresh.html", **_talk(console, desk, conversation_id, again=True))


def _instead(target: str, content: str, status: int) -> Response:
    """A refusal that htmx shows at `target`; what was typed stays where it is."""
    answer = make_response(content, status)
    answer.headers["HX-Retarget"] = target
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def _refusal(refusal: Exception) -> str:
    if isinstance(refusal, HeldByOtherError):
        return _(
            "%(name)s has this conversation. Take it over from them if you should have it.", name=refusal.name or _("A colleague")
        )
    if isinstance(refusal, WrittenSinceError):
        return _("The patient has written meanwhile. Read it first; then do it again.")
    if isinstance(refusal, NoTextsError):
        return _("No text can go to this number: it wants none, or it is not known. Please call.")
    if isinstance(refusal, UnfitTextError):
        return _("Write something, and no more than %(most)s characters.", most=inbox.LONGEST_TEXT)
    return _("This conversation is closed, or it is the assistant's. Have a look at it again.")


def _look(desk: Desk, conversation_id: str) -> None:
    until = time.time() + LOOKS_FOR_SECONDS
    inbox.look(desk.session, conversation_id=conversation_id, staff_id=desk.me.id, until=until)


def _clerk(desk: Desk) -> Clerk:
    return Clerk.of(desk.me)


def _seen_with() -> str | None:
    """The account that the page showed the conversation with."""
    return request.form.get("assignee") or None


def _seen_until() -> int:
    """The last message that the page showed."""
    return _number(request.form.get("seen"))


def _number(value: str | None) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER else 0


def _seconds(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0


def _instant(desk: Desk, value: str) -> dt.datetime:
    """A chosen instant, or wall time of the clinic as a browser's field for date and time sends it."""
    try:
        read = dt.datetime.fromisoformat(value)
    except ValueError:
        abort(400)
    return read if read.tzinfo else times.from_wall(read.date(), read.time(), desk.clinic.zone)


def _rendered(app: Flask, console: Console, rows: list[Row], language: str) -> str:
    """Rows for all who read this language, outside of anybody's request."""
    with console.database.reading() as session:
        zone = current(session).zone
    with app.test_request_context("/console/inbox"), force_locale(language):
        return render_template("console/inbox/rows.html", rows=rows, at_wall=lambda instant: at_wall(instant, zone))
