"""Sentences for patients about insurance and costs, in English and Spanish: short, plain, each with a way on."""

from __future__ import annotations

from scheduling_core.clinic_file.schema import ClinicFile
from scheduling_core.eligibility.costs import Estimate, Kind, Line, Unknown
from scheduling_core.eligibility.estimates import PatientEstimate
from scheduling_core.eligibility.meaning import Finding, Obstacle
from scheduling_core.x12 import Network

_MOST_NAMED = 2


def about(finding: Finding, clinic: ClinicFile, language: str = "en") -> str:
    """An obstacle and what the patient can do."""
    spanish = language.startswith("es")
    template = (_ES if spanish else _EN)[finding.obstacle]
    service = clinic.services_by_id.get(finding.service_id)
    who = clinic.practitioners_by_id.get(finding.practitioner_id or "")
    said = template.format(
        payer=finding.payer_name,
        service=service.name if service else finding.service_id,
        who=who.name if who else ("este profesional" if spanish else "this practitioner"),
    )
    return " ".join([said, *_ways_on(finding, clinic, spanish)])


_EN = {
    Obstacle.INACTIVE: "{payer} tells us that your plan is not active.",
    Obstacle.NOT_FOUND: "{payer} could not find you with the details we have. Our billing team will look into it.",
    Obstacle.UNANSWERED: "{payer} has not confirmed your coverage yet. We check it before your visit.",
    Obstacle.OUT_OF_NETWORK: "{who} is not in network with {payer}, so your plan may pay less or nothing.",
    Obstacle.NETWORK_UNKNOWN: "We could not confirm whether {who} is in network with {payer}. {payer} can tell you.",
    Obstacle.NOT_COVERED: "{payer} does not cover this visit ({service}).",
    Obstacle.REFERRAL: "{payer} wants a referral for this visit ({service}).",
    Obstacle.AUTHORIZATION: "{payer} has to approve this visit ({service}) first. Our billing team will ask them.",
}
_ES = {
    Obstacle.INACTIVE: "{payer} nos dice que su plan no está activo.",
    Obstacle.NOT_FOUND: "{payer} no lo encuentra con los datos que tenemos. Nuestro equipo de facturación lo revisará.",
    Obstacle.UNANSWERED: "{payer} aún no ha confirmado su cobertura. La revisamos antes de su visita.",
    Obstacle.OUT_OF_NETWORK: "{who} no está en la red de {payer}; su plan puede pagar menos o nada.",
    Obstacle.NETWORK_UNKNOWN: "No pudimos confirmar si {who} está en la red de {payer}. {payer} se lo puede decir.",
    Obstacle.NOT_COVERED: "{payer} no cubre esta visita ({service}).",
    Obstacle.REFERRAL: "{payer} pide una referencia para esta visita ({service}).",
    Obstacle.AUTHORIZATION: "{payer} tiene que aprobar antes esta visita ({service}). Nuestro equipo de facturación lo pedirá.",
}


def _ways_on(finding: Finding, clinic: ClinicFile, spanish: bool) -> list[str]:
    found: list[str] = []
    price = money(finding.self_pay_cents) if finding.self_pay_cents is not None else ""
    match finding.obstacle:
        case Obstacle.OUT_OF_NETWORK if finding.in_network:
            names = [clinic.practitioners_by_id[who].name for who in finding.in_network[:_MOST_NAMED]]
            joined = (" o " if spanish else " or ").join(names)
            found.append(f"En la red: {joined}." if spanish else f"In network: {joined}.")
        case Obstacle.INACTIVE:
            found.append("Puede darnos otro seguro." if spanish else "You can give us another insurance.")
        case Obstacle.REFERRAL:
            doctor = finding.primary_care or ("su médico de cabecera" if spanish else "your primary care office")
            found.append(f"Pídasela a {doctor}." if spanish else f"Please ask {doctor} to send us one.")
    if price and finding.obstacle in (Obstacle.INACTIVE, Obstacle.NOT_COVERED, Obstacle.OUT_OF_NETWORK):
        found.append(f"Si paga por su cuenta, son {price}." if spanish else f"If you pay yourself it is {price}.")
    if finding.obstacle in (Obstacle.INACTIVE, Obstacle.NOT_COVERED):
        found.append("O hable con una persona." if spanish else "Or talk to a person.")
    return found


def money(cents: int) -> str:
    """ "$1,240.50"; whole dollars without cents."""
    return f"${cents // 100:,}" if cents % 100 == 0 else f"${cents / 100:,.2f}"


def cost(found: PatientEstimate, clinic: ClinicFile, language: str = "en") -> str:
    """What the visit would cost, why, and that it is an estimate."""
    spanish = language.startswith("es")
    service = clinic.services_by_id.get(found.service_id)
    name = service.name if service else found.service_id
    estimate = found.estimate
    closing = "Es una estimación, no una factura." if spanish else "This is an estimate, not a bill."
    if found.payer_name is None:
        return f"{_alone(name, estimate, spanish)} {closing}"
    payer = found.payer_name
    if Unknown.MAXIMUM in estimate.unknown:
        less = "Será menos si ya alcanzó su máximo anual." if spanish else "It is less if you have met your yearly maximum."
        closing = f"{less} {closing}"
    if estimate.high is None:
        missing = _missing(estimate, payer, spanish)
        if spanish:
            return (
                f"Todavía no podemos decir cuánto pagaría con {payer} por {name}: no sabemos {missing}. Facturación puede ayudarle."
            )
        return f"We cannot say yet what you would pay with {payer} for {name}: we do not know {missing}. Our billing team can help."
    inside = found.network is Network.IN
    where = (" en la red" if spanish else " in network") if inside else ""
    if estimate.exact:
        total = money(estimate.low)
        said = (
            f"Con {payer}{where} usted pagaría unos {total} por {name}"
            if spanish
            else f"With {payer}{where} you would pay about {total} for {name}"
        )
        reason = _reason(estimate.lines, spanish)
        return f"{said}{': ' + reason if reason else ''}. {closing}"
    low, high = money(estimate.low), money(estimate.high)
    missing = _missing(estimate, payer, spanish)
    if spanish:
        return f"Con {payer} usted pagaría entre {low} y {high} por {name}; no sabemos {missing}. {closing}"
    return f"With {payer} you would pay between {low} and {high} for {name}; we do not know {missing}. {closing}"


def _alone(name: str, estimate: Estimate, spanish: bool) -> str:
    if estimate.high is None:
        return (
            f"No tenemos un precio para {name}; facturación se lo puede decir."
            if spanish
            else f"We have no price for {name} here; our billing team can tell you."
        )
    price = money(estimate.high)
    return f"{name} cuesta {price} si paga por su cuenta." if spanish else f"{name} is {price} if you pay yourself."


_REASONS = {
    Kind.COPAY: ("{} copay", "{} de copago"),
    Kind.DEDUCTIBLE: ("{} of your deductible", "{} de su deducible"),
    Kind.COINSURANCE: ("{} coinsurance", "{} de coseguro"),
    Kind.NOT_COVERED: ("your plan does not pay for it", "su plan no lo paga"),
    Kind.MAXIMUM: ("less what is above your yearly maximum", "menos lo que pasa de su máximo anual"),
    Kind.SECONDARY: ("less {} from your second insurance", "menos {} de su segundo seguro"),
}


def _reason(lines: tuple[Line, ...], spanish: bool) -> str:
    parts = [_REASONS[line.kind][spanish].format(money(abs(line.low))) for line in lines if line.kind in _REASONS and line.low]
    return ", ".join(parts)


_MISSING = {
    Unknown.PRICE: ("the price", "el precio"),
    Unknown.COVERAGE: ("whether your plan is active", "si su plan está activo"),
    Unknown.NETWORK: ("whether we are in network", "si estamos en la red"),
    Unknown.COPAY: ("your copay", "su copago"),
    Unknown.DEDUCTIBLE: ("how much of your deductible is left", "cuánto le queda de deducible"),
    Unknown.COINSURANCE: ("your coinsurance", "su coseguro"),
    Unknown.ALLOWED: ("what your plan allows", "cuánto reconoce su plan"),
    Unknown.SECONDARY: ("what your second insurance pays", "cuánto paga su segundo seguro"),
}
_MOST_MISSING = 2


def _missing(estimate: Estimate, payer: str, spanish: bool) -> str:
    named = [_MISSING[one][spanish] for one in estimate.unknown if one in _MISSING][:_MOST_MISSING]
    return (" ni " if spanish else " or ").join(named) or ("todos los datos" if spanish else f"all that {payer} pays")
