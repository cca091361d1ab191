"""English words and phrases about time, with their letters (`actions.when.words` lists them)."""

from typing import Any

Entry = tuple[str, Any]  # a letter of the grammar and its value

_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
)

TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fourty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}

_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth"
    " seventeenth eighteenth nineteenth twentieth"
)


def single_words() -> dict[str, Entry]:
    found: dict[str, Entry] = {word: ("n", number) for number, word in enumerate(_NUMBERS.split())}
    found["one"] = ("z", 1)
    found |= {word: ("n", number) for word, number in TENS.items()}
    found |= {word: ("o", number) for number, word in enumerate(_ORDINALS.split(), 1)}
    found |= {"thirtieth": ("o", 30), "ninteenth": ("o", 19), "twelth": ("o", 12), "eigth": ("o", 8)}
    table: dict[Entry, str] = {
        ("r", 0): "today todays today's 2day",
        ("r", 1): "tomorrow tomorrows tomorrow's tomorow tommorow tommorrow tmrw tmr tmw tomo 2morrow 2moro tomoro tomm",
        ("r", -1): "yesterday",
        ("P", "morning"): "morning mornings mornin",
        ("P", "afternoon"): "afternoon afternoons aft",
        ("P", "evening"): "evening evenings eve",
        ("P", "night"): "night nights nighttime",
        ("P", "lunch"): "lunchtime lunchbreak",
        ("P", "daytime"): "daytime",
        ("P", "dinner"): "dinnertime",
        ("P", "midmorning"): "midmorning",
        ("P", "midafternoon"): "midafternoon",
        ("tonight", None): "tonight tonite 2nite",
        ("t", 12): "noon midday noonish noontime",
        ("t", 0): "midnight",
        ("x", None): "next following upcoming coming nxt subsequent",
        ("h", None): "this current",
        ("l", None): "last previous",
        ("Q", None): "past",
        ("T", None): "the",
        ("g", None): "that",
        ("A", 1): "a an",
        ("Y", None): "any every each either some all",
        ("O", None): "of",
        ("I", None): "in within",
        ("@", None): "at around about @ approximately roughly approx circa near like ard",
        ("~", None): "on for during over",
        ("B", None): "before by",
        ("F", None): "after",
        ("G", None): "from since starting beginning begining",
        ("U", None): "until till til through thru untill",
        ("2", None): "to",
        ("v", None): "between btwn betwen",
        ("&", None): "and n",
        ("|", None): "or",
        ("X", None): "except excluding besides",
        ("N", None): "not no cant cannot dont wont never without unavailable busy avoid isnt doesnt couldnt unable nope",
        ("L", None): "later latter",
        ("E", None): "earlier sooner",
        ("S", None): "asap soonest",
        ("V", None): "whenever anytime",
        ("s", None): "same",
        ("qh", 30): "half",
        ("q", 15): "quarter quarters",
        ("c", None): "oclock clock ish",
        ("b", None): "early start",
        ("M", None): "mid middle",
        ("Z", None): "late end",
        ("k", None): "ago",
        ("j", None): "now",
        ("R", None): "rest remainder",
        ("C", None): "sorry actually instead rather oops correction meant mean wait",
        ("J", None): "born dob birthday birthdate bday turned turns turning",
        ("couple", 2): "couple pair",
        ("few", 3): "few several",
        ("Σ", "spring"): "spring springtime",
        ("Σ", "summer"): "summer summertime",
        ("Σ", "fall"): "fall autumn",
        ("Σ", "winter"): "winter wintertime",
    }
    for entry, names in table.items():
        found |= dict.fromkeys(names.split(), entry)
    return found


# Phrases of several words; each becomes one token. Windows of hours carry their own name, see `calendar.WINDOWS`.
PHRASES: dict[Entry, str] = {
    ("r", 2): "day after tomorrow; the day after tomorrow; overmorrow",
    ("r", -2): "day before yesterday; the day before yesterday",
    ("S", None): (
        "as soon as possible; as soon as you can; soon as possible; as early as possible; as quickly as possible; earliest"
        " possible; the soonest; first available; the first available; next available; the next available; earliest"
        " available; right away; the earliest; earliest; very soon; first opening; next opening; the first opening; first"
        " one available; soonest available; soonest possible; immediately; a s a p; earliest you have; first appointment"
        " available; sooner the better"
    ),
    ("V", None): (
        "any time; any day; any date; whatever works; whatever is available; whatever you have; no preference; any day"
        " works; i'm flexible; im flexible; i am flexible; doesn't matter when; doesnt matter; doesn't matter; does not"
        " matter; don't care when; dont care; i don't care; anything works; anything is fine; any time at all; any time"
        " works; makes no difference; open schedule; at any time; any slot; any appointment; anytime at all"
    ),
    ("P", "first-thing"): (
        "first thing; first thing in the morning; first thing in the am; crack of dawn; right when you open; when you open"
    ),
    ("P", "last-thing"): (
        "last thing of the day; last thing in the day; as late as possible; the latest you have; latest you have; latest"
        " appointment; the latest appointment; latest slot; latest time; latest possible; end of day; end of the day; end"
        " of business; close of business; eod; last appointment of the day"
    ),
    ("P", "after-work"): (
        "after work; after i get off work; after i get off; after office hours; when i get off work; outside work hours"
    ),
    ("P", "after-school"): "after school; when school gets out; after school hours; when school lets out; once school is out",
    ("P", "before-work"): "before work; before i go to work; before my shift",
    ("P", "before-school"): "before school; before school starts",
    ("P", "lunch"): (
        "lunch break; lunch hour; lunch time; my lunch; over lunch; during lunch; at lunch; noon hour; around lunch; my"
        " lunch break; on my lunch break; on lunch"
    ),
    ("P", "after-lunch"): "after lunch; after lunchtime; after my lunch break",
    ("P", "before-lunch"): "before lunch; before lunchtime",
    ("P", "after-dinner"): "after dinner; after dinnertime; after supper; after dinner time",
    ("P", "dinner"): "dinner time",
    ("P", "midmorning"): "mid morning; middle of the morning",
    ("P", "midafternoon"): "mid afternoon; middle of the afternoon",
    ("P", "midday-part"): "middle of the day; mid day; mid today",
    ("P", "early-day"): "early in the day; earlier in the day; early on; early in the day on; bright and early",
    ("P", "late-day"): "later in the day; late in the day; later in the afternoon and evening",
    ("P", "late-afternoon"): "later in the afternoon; later afternoon",
    ("P", "late-morning"): "later in the morning; later morning",
    ("P", "early-morning"): "early in the morning; very early; earlier in the morning",
    ("P", "night"): "night time",
    ("t", 0): "mid night; 12 midnight; twelve midnight; 12 at night; twelve at night",
    ("t", 12): "12 noon; twelve noon; high noon; noon time",
    ("c", None): "o clock",
    ("B", None): (
        "prior to; earlier than; sooner than; in advance of; no later than; not later than; at the latest; at latest by;"
        " not after; on or before; ahead of; before or latest on; before or on; by or before; latest by; up to; up until;"
        " nothing after; not past; no later then; anything before; any time before; anytime before"
    ),
    ("F", None): (
        "later than; no earlier than; not earlier than; not before; nothing before; no sooner than; not until; on or after;"
        " as early as; at the earliest; anything after; any time after; anytime after; past the; not till; no earlier then;"
        " can't until; cant until; cannot until; can't come until; can't before; cant before; not sooner than; out until;"
        " away until; gone until; busy until; working until; work until; in school until; not available until; not free"
        " until; unavailable until; out of town until; on vacation until; travelling until; traveling until; not back"
        " until; at work until; i get off at; i get out at; get off work at; i finish at; i finish work at; off work at;"
        " done at; done with work at; get home at; get out of work at; get out of school at; gets out of school at; out of"
        " school at"
    ),
    ("I", None): "in less than; less than; in under; no more than; in no more than",
    ("G", None): (
        "starting from; starting on; starting with; beginning on; as of; from the; any time from; any day from; anytime"
        " from; week beginning"
    ),
    ("wc", None): (
        "w/c; week commencing; week beginning; week beginning on; week starting; week starting on; week of; the week of; wk of"
    ),
    ("after-that", None): "after that; after those; after these",
    ("b", None): (
        "beginning of; the beginning of; at the beginning of; start of; the start of; first part of; the first part of;"
        " early part of; top of"
    ),
    ("X", None): (
        "instead of; other than; but not; anything but; anything except; apart from; aside from; any day but; any time but;"
        " just not; but no; any day except; any time except; everything but; every day but; rather not; i would rather not;"
        " all but; anything besides"
    ),
    ("N", None): (
        "can't; can not; don't; won't; doesn't work; isn't good; not available; not free; can't do; cant do; don't want;"
        " couldn't; could not; not able; doesn't; isn't; i work on; i work; work on; working on; out of town; away on; no"
        " good; i'm away; im away; i am away; we're away; i'll be away; we'll be away; on vacation; i'll be gone; we'll be"
        " gone; i'm gone; on a trip; traveling; travelling; have work; i have class; tied up; not good; won't work; wont"
        " work; bad for me"
    ),
    ("|L", None): (
        "or later; or afterwards; or after that; and later; and after; and on; and onward; and onwards; and beyond; onward;"
        " onwards; on out; on forward; going forward"
    ),
    ("|E", None): "or earlier; or sooner; or before that; and earlier; at the latest; latest",
    ("H", "christmas"): "christmas; christmas day; xmas",
    ("H", "christmas-eve"): "christmas eve; xmas eve",
    ("H", "new-year"): "new year's day; new years day; new year day; new year's; new years; new year",
    ("H", "new-year-eve"): "new year's eve; new years eve; new year eve; nye",
    ("H", "thanksgiving"): "thanksgiving; thanksgiving day; turkey day",
    ("H", "black-friday"): "black friday",
    ("H", "cyber-monday"): "cyber monday",
    ("H", "easter"): "easter; easter sunday",
    ("H", "good-friday"): "good friday",
    ("H", "easter-monday"): "easter monday",
    ("H", "independence"): "independence day; july fourth holiday; fourth of july; the fourth of july",
    ("H", "juneteenth"): "juneteenth; freedom day",
    ("H", "memorial"): "memorial day",
    ("H", "labor"): "labor day; labour day",
    ("H", "mlk"): "mlk day; martin luther king day; martin luther king jr day; mlk jr day",
    ("H", "presidents"): "presidents day; president's day; washington's birthday",
    ("H", "columbus"): "columbus day; indigenous peoples day",
    ("H", "veterans"): "veterans day; veteran's day",
    ("H", "valentine"): "valentine's day; valentines day; valentine day; valentine's; valentines",
    ("H", "patrick"): "saint patrick's day; saint patricks day; st patrick's day; st patricks day; st paddys day",
    ("H", "halloween"): "halloween",
    ("H", "mother"): "mother's day; mothers day",
    ("H", "father"): "father's day; fathers day",
    ("H", "groundhog"): "groundhog day; groundhogs day",
    ("H", "earth"): "earth day",
    ("H", "tax"): "tax day",
    ("_", "holiday"): "chinese new year; lunar new year",
    ("holidays", None): "holidays; christmas break; winter break; holiday season",
    ("eom", None): "eom; end of month; end of the month; month end; month's end",
    ("eoy", None): "eoy; end of year; end of the year; year end; year's end; end of this year",
    ("one-after", None): (
        "one after; the one after; one after that; the one after that; the week after that; week after that; the week"
        " after; week after; the following one; the next one; next one after"
    ),
    ("next-but-one", None): "week after next; the week after next; week after the next; two weeks out",
    ("push-later", None): (
        "push it back; push it back by; push back; move it back; move it back by; push it; push it by; push it out;"
        " postpone it; postpone it by; delay it; delay it by; move it later by; push it out by; push back by; postpone;"
        " delay; push my appointment back"
    ),
    ("push-earlier", None): (
        "move it up; move it up by; bring it forward; bring it forward by; move it forward; move it forward by; move up"
    ),
    ("that-day", None): (
        "that day; that date; same day; the same day; that same day; the same date; same date; the very same day; that very day"
    ),
    ("that-time", None): (
        "same time; the same time; at the same time; that time; that same time; same hour; the same hour; at the same hour;"
        " same slot; same time of day"
    ),
    ("day-and-time", None): (
        "same day and time; same day and same time; the same day and time; same day same time; same day & time"
    ),
    ("that-week", None): "that week; that same week; the same week; same week",
    ("that-month", None): "same month; the same month; that month",
    ("_", "idiom"): (
        "on second thought; on second thoughts; second opinion; second time; first time; first visit; second visit; have a"
        " good day; have a nice day; good day; good morning; good afternoon; good evening; good night; happy holidays;"
        " happy new year; merry christmas; day care; the other day; the other night; these days; twice a day; per day; once"
        " a day; times a day; at first; a second; one second; just a second; just a minute; wait a minute; one minute;"
        " first name; last name; second name; next door; next to; next step; next of kin; last time; next time; night"
        " sweats; morning sickness; second floor; first floor; third floor; month old; months old; year old; years old;"
        " weeks old; week old; days old; day old; weeks pregnant; months pregnant; one moment; no thanks; no thank you; no"
        " problem; no worries; twenty four seven; around the clock; around the corner; part time; full time; one on one;"
        " one to one; right now; any time soon; anytime soon; how are you today; how are you doing today; help today; you"
        " today; on time; no one; talk later; see you later; years ago; months ago; weeks ago; days ago; i mean it; last"
        " visit; last appointment; not yet; not sure; not really; how about; what about; sun screen; would like; i'd like;"
        " i like; like to; like an; you like; don't know; dont know; don't remember; not feeling; no insurance; don't have;"
        " dont have; don't need"
    ),
}
