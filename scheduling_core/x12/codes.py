"""The few code lists of 005010X279A1 that the core acts upon, in plain words. What is not here is shown as its code."""

from __future__ import annotations

ACTIVE = frozenset("12345")
INACTIVE = frozenset("678")
HEALTH_PLAN = "30"
"""Service type: the plan as a whole."""

SERVICE_TYPES = {
    "1": "medical care",
    "2": "surgery",
    "3": "consultation",
    "4": "X-ray",
    "5": "laboratory",
    "30": "the health plan",
    "33": "chiropractic",
    "35": "dental care",
    "47": "hospital",
    "48": "hospital stay",
    "50": "hospital outpatient",
    "73": "diagnostic medical",
    "80": "immunizations",
    "81": "routine physical",
    "86": "emergency services",
    "88": "pharmacy",
    "98": "office visit",
    "A8": "outpatient psychiatry",
    "AL": "vision",
    "BY": "office visit, sick",
    "BZ": "office visit, well",
    "DG": "dermatology",
    "MH": "mental health",
    "PT": "physical therapy",
    "UC": "urgent care",
}

RELATIONSHIPS = {"spouse": "01", "child": "19", "other": "34"}
"""INS02 of a dependent by the word that a Coverage keeps."""

TRY_AGAIN = frozenset(("42", "80"))
"""AAA03 that passes by itself: unable to respond now, no response received."""

_ASK_PATIENT = "Compare it with the insurance card and ask the patient."
WHAT_TO_DO = {
    "04": "The payer allows fewer inquiries. Ask again later.",
    "15": "The payer needs more about the member. " + _ASK_PATIENT,
    "33": "The inquiry lacked something the payer needs. Check the coverage on file, then call the payer.",
    "35": "The payer cannot tell through this route for this member. Call the number on the insurance card.",
    "41": "The payer does not let this clinic ask. Register the clinic with the payer or the clearinghouse.",
    "42": "The payer cannot answer now. It is asked again by itself.",
    "43": "The payer does not know the clinic's provider number. Check the NPI in the clinic file and enrol with the payer.",
    "44": "The provider's name does not match. Check the clinic's name at the payer.",
    "45": "The provider's specialty does not match. Check it at the payer.",
    "46": "The provider's phone number does not match. Check it at the payer.",
    "47": "The provider's state does not match. Check it at the payer.",
    "48": "The provider's number does not match the referring one. Check both.",
    "49": "The provider is not the member's primary care physician. Ask the patient who is, and whether a referral is needed.",
    "50": "The provider may not ask about this member. Call the payer.",
    "51": "The provider is not on file with the payer. Enrol with the payer.",
    "52": "The service dates are not within the provider's plan enrolment. Call the payer.",
    "53": "The payer cannot answer for this kind of service. Ask for the health plan as a whole.",
    "54": "The payer does not know this service. Ask for the health plan as a whole.",
    "55": "The payer does not know this diagnosis or procedure. Ask for the health plan as a whole.",
    "56": "The payer does not take this date. Ask for today's date.",
    "57": "The date of service is not a valid date. Correct it and ask again.",
    "58": "The birth date is missing or no valid date. Ask the patient.",
    "60": "The birth date lies after the date of service. Correct it.",
    "61": "The date of service is before the day of death on file. Call the payer.",
    "62": "The date of service is too far from today for this payer. Ask closer to the visit.",
    "63": "The date of service lies in the future for this payer. Ask on the day.",
    "64": "The patient's number is missing or wrong. " + _ASK_PATIENT,
    "65": "The patient's name is missing or wrong. " + _ASK_PATIENT,
    "66": "The patient's sex is missing or does not match. " + _ASK_PATIENT,
    "67": "The payer does not find the patient. " + _ASK_PATIENT,
    "68": "The payer has the patient twice. Call the payer.",
    "69": "The service does not fit the patient's age. Check the birth date.",
    "70": "The service does not fit the patient's sex. Check it.",
    "71": "The birth date does not match the one at the payer. Ask the patient for it.",
    "72": "The member number is missing or wrong. " + _ASK_PATIENT,
    "73": "The subscriber's name is missing or wrong. " + _ASK_PATIENT,
    "74": "The subscriber's sex is missing or does not match. " + _ASK_PATIENT,
    "75": "The payer does not find the subscriber. " + _ASK_PATIENT,
    "76": "The payer has the subscriber's number twice. Call the payer.",
    "77": "The payer finds the subscriber but not the patient. Ask whose insurance it is and how the patient is related.",
    "78": "The subscriber is not in the group or plan named. " + _ASK_PATIENT,
    "79": "The payer's own number is wrong. Check the payer id in the clinic file.",
    "80": "The payer's system did not answer. It is asked again by itself.",
    "97": "The address is missing or wrong. Ask the patient.",
    "98": "The payer wants to be asked in another way. Call the number on the insurance card.",
    "AA": "The payer needs an authorization number. Ask the referring office.",
    "AE": "The payer needs a referral. Ask the primary care office.",
    "AF": "The payer needs the diagnosis. Call the payer.",
    "AO": "More than the payer answers at once was asked. Ask again for one patient.",
    "CI": "A certification does not match. Call the payer.",
    "E8": "The payer needs a medical review. Call the payer.",
    "IA": "An authorization number is wrong. Ask the referring office.",
    "MA": "An authorization number is missing. Ask the referring office.",
    "T4": "The payer's name or number is missing. Check the payer id in the clinic file.",
}


def what_to_do(code: str) -> str:
    """A sentence for staff for an AAA03 reject reason, a general one where the code is not known."""
    return WHAT_TO_DO.get(
        code, f"The payer refused the inquiry (reason {code or 'not given'}). Call the number on the insurance card."
    )
