"""The canned replies: texts that the desk sends again and again."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for

from bot.console.access import CARE
from bot.console.shell import Answer, Console, Desk
from scheduling_core import canned_replies


def add_replies(console: Console) -> None:
    @console.get("/inbox/replies", may=CARE)
    def canned_replies_page(desk: Desk) -> Answer:
        typed = {"name": "", "language": desk.clinic.clinic.languages[0], "body": ""}
        return render_template("console/inbox/replies.html", replies=canned_replies.everything(desk.session), typed=typed)

    @console.post("/inbox/replies", may=CARE)
    def save_canned_reply(desk: Desk) -> Answer:
        form = request.form
        if form.get("language") not in desk.clinic.clinic.languages:
            abort(400)
        canned_replies.save(
            desk.session, name=form.get("name", ""), language=form["language"], body=form.get("body", ""), agent=desk.agent
        )
        return redirect(url_for("console.canned_replies_page"), 303)

    @console.post("/inbox/replies/<reply_id>/remove", may=CARE)
    def remove_canned_reply(desk: Desk, reply_id: str) -> Answer:
        canned_replies.remove(desk.session, reply_id=reply_id, agent=desk.agent)
        return redirect(url_for("console.canned_replies_page"), 303)
