"""Texts: Twilio's webhook for incoming ones, and its word on how the outgoing ones fared."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from twilio.twiml.messaging_response import MessagingResponse

from bot.channels.signature import is_from_twilio
from bot.conversation import Answer, Incoming, Turns
from bot.metrics import Metrics
from bot.outcomes import Said
from bot.settings import Settings
from scheduling_core import calls, deliveries
from scheduling_core.db import Database
from scheduling_core.models import Channel, Delivery
from scheduling_core.segments import on_air

OVER = ("completed", "busy", "failed", "no-answer", "canceled")  # CallStatus of a call that has ended
_NEEDED = ("MessageSid", "From", "To")
# Twilio's MessageStatus and CallStatus as ours; the steps before "sent" say nothing new.
_STATUS = {
    "sent": Delivery.SENT,
    "delivered": Delivery.DELIVERED,
    "failed": Delivery.FAILED,
    "undelivered": Delivery.FAILED,
    "completed": Delivery.DELIVERED,
    "busy": Delivery.FAILED,
    "no-answer": Delivery.FAILED,
    "canceled": Delivery.FAILED,
}


def create_sms(settings: Settings, database: Database, turns: Turns, metrics: Metrics) -> Blueprint:
    sms = Blueprint("sms", __name__, url_prefix="/twilio")

    @sms.before_request
    def _refuse_others() -> None:
        if not is_from_twilio(request, settings):
            metrics.count_refused()
            abort(403)

    @sms.post("/sms")
    def receive() -> Response:
        form = request.form
        if "Body" not in form or not all(form.get(name) for name in _NEEDED):
            abort(403)
        picture = form.get("NumMedia", "0").strip("0") != ""
        incoming = Incoming(
            channel=Channel.SMS,
            phone=form["From"],
            body=form["Body"],
            external_id=form["MessageSid"],
            said=Said.PICTURE if picture else Said.TEXT,
        )
        return twiml(turns.take_turn(incoming))

    @sms.post("/status")
    def status() -> Response:
        form, args = request.form, request.args
        called = form.get("CallStatus", "")
        known = _STATUS.get(form.get("MessageStatus", "") or called)
        external_id = form.get("MessageSid") or form.get("CallSid")
        if known and external_id:
            error = form.get("ErrorCode") or (f"call-{called}" if called and known is Delivery.FAILED else None)
            with database.transaction() as session:
                deliveries.record(
                    session,
                    external_id=external_id,
                    status=known,
                    error=error,
                    communication_id=args.get("message"),
                    attempt=args.get("attempt", type=int),
                )
                if called in OVER:
                    calls.end(session, external_id)
        return Response(status=204)

    return sms


def twiml(answer: Answer) -> Response:
    """The replies as TwiML; none: an empty document, by which Twilio sends nothing."""
    document = MessagingResponse()
    for reply in answer.replies:
        document.message(on_air(reply.body))
    return Response(str(document), content_type="text/xml; charset=utf-8")
