"""The tables. Importing this module registers all of them."""

from scheduling_core.models.base import Base, UtcDateTime, new_id
from scheduling_core.models.coverage import Coverage, CoverageStatus, RequestStatus, ServiceRequest
from scheduling_core.models.people import ApiToken, Patient, PatientPhone, Role, Sex, StaffAccount
from scheduling_core.models.places import ClinicVersion, HealthcareService, Location, Payer, Practitioner
from scheduling_core.models.scheduling import LIVE, Appointment, AppointmentStatus, Mode, ParticipationStatus, occupancy
from scheduling_core.models.workflow import (
    AuditEvent,
    Channel,
    Communication,
    Conversation,
    Delivery,
    Direction,
    IdempotencyKey,
    IdentityAttempt,
    OptOut,
    Owner,
    Priority,
    Task,
    TaskStatus,
)

__all__ = [
    "LIVE",
    "ApiToken",
    "Appointment",
    "AppointmentStatus",
    "AuditEvent",
    "Base",
    "Channel",
    "ClinicVersion",
    "Communication",
    "Conversation",
    "Coverage",
    "CoverageStatus",
    "Delivery",
    "Direction",
    "HealthcareService",
    "IdempotencyKey",
    "IdentityAttempt",
    "Location",
    "Mode",
    "OptOut",
    "Owner",
    "ParticipationStatus",
    "Patient",
    "PatientPhone",
    "Payer",
    "Practitioner",
    "Priority",
    "RequestStatus",
    "Role",
    "ServiceRequest",
    "Sex",
    "StaffAccount",
    "Task",
    "TaskStatus",
    "UtcDateTime",
    "new_id",
    "occupancy",
]
