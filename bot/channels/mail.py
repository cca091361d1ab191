"""Mail through an SMTP server: smtp://user:password@host:587 (with STARTTLS, save on this machine), or smtps://host:465."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr, formatdate
from urllib.parse import unquote, urlsplit

from bot.channels.sender import SECONDS, SendError, UnknownFateError
from scheduling_core import deliveries, mail_addresses

_NO_SUCH_ADDRESS = (550, 551, 553, 556)  # answers to RCPT (RFC 5321, RFC 7504)
_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class File:
    """An attachment. `kind` is its media type."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """One mail. `id` makes its Message-ID: a repeat after a lost answer carries the same, by which mailboxes know it."""

    id: str
    to: str
    sender: tuple[str, str]  # name and address
    subject: str
    body: str
    calendar: tuple[str, str] | None = None  # an iCalendar file and its method
    files: tuple[File, ...] = ()


class Mailer:
    """A mail server, a connection for each mail."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)

    def send(self, mail: Mail) -> str:
        """The mail's own id: a Message-ID, with a domain of any length, is longer than what is kept of a message.

        Raises SendError, or UnknownFateError when the server may have taken it.
        """
        if not mail_addresses.is_one(mail.to):  # on a record from before they were looked at
            raise SendError(deliveries.NO_SUCH_ADDRESS, permanent=True)
        message = _message(mail)
        try:
            connection = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise SendError(f"mail-{type(error).__name__}", permanent=False) from None
        try:
            connection.send_message(message, to_addrs=[mail.to])
        except smtplib.SMTPRecipientsRefused as error:
            [(code, said)] = error.recipients.values()
            if code in _NO_SUCH_ADDRESS and not re.match(rb"5\.[^1]\.", said):  # 5.1.x is about the address (RFC 3463)
                raise SendError(deliveries.NO_SUCH_ADDRESS, permanent=True) from None
            raise SendError(f"mail-{code}", permanent=code >= 500) from None
        except smtplib.SMTPResponseException as error:
            raise SendError(f"mail-{error.smtp_code}", permanent=error.smtp_code >= 500) from None
        except (OSError, smtplib.SMTPException) as error:
            raise UnknownFateError(f"mail-{type(error).__name__}") from None
        finally:
            connection.close()
        return mail.id

    def _connect(self) -> smtplib.SMTP:
        host = self._server.hostname or ""
        if self._server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self._server.port or 465, timeout=SECONDS, context=ssl.create_default_context()
            )
        else:
            connection = smtplib.SMTP(host, self._server.port or 587, timeout=SECONDS)
            if host not in _HERE:
                connection.starttls(context=ssl.create_default_context())
        if self._server.username:
            connection.login(unquote(self._server.username), unquote(self._server.password or ""))
        return connection


def _message(mail: Mail) -> EmailMessage:
    name, address = mail.sender
    message = EmailMessage()
    message["From"] = formataddr((name, address))
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{mail.id}@{address.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # nobody's absence note is to answer it (RFC 3834)
    message.set_content(mail.body)
    if mail.calendar:
        file, method = mail.calendar
        message.add_attachment(file.encode(), maintype="text", subtype="calendar", filename="visit.ics", params={"method": method})
    for one in mail.files:
        maintype, _, subtype = one.kind.partition("/")
        message.add_attachment(one.content, maintype=maintype, subtype=subtype, filename=one.name)
    return message
