"""What the call itself says, beside the dialogue: short, and made for the ear."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sentences import spoken_number
from scheduling_core.clinic_file.schema import ClinicFile


@dataclass(frozen=True)
class Sentences:
    """Templates with {clinic} and {phone}, the clinic's name and number."""

    greeting: str
    greeting_closed: str
    other_language: str  # in the other language: how to change to this one
    menu: str
    again: str
    again_keys: str
    silence: str
    silence_slow: str
    nothing_heard: str
    call_back: str
    wait: str
    too_slow: str
    down: str
    database_down: str
    transfer: str
    desk_closed: str
    ask_callback: str
    ask_callback_number: str
    callback_noted: str
    number_noted: str
    leave_message: str
    not_reached: str
    recorded: str
    goodbye: str
    desk_has_it: str
    heard: str
    say_it_again: str
    ask_details: str
    details_sent: str
    details_not_sent: str
    reminder_for: str
    reminder_visit: str
    reminder_not_there: str
    reminder_over: str
    whisper: str
    whisper_connect: str
    anything_else: str
    more: str
    no_such_key: str
    keys_menu: str
    keys_yes_or_no: str
    keys_choice: str
    keys_number: str
    keys_birth_date: str
    keys_time: str
    keys_one: str
    keys_more: str
    keys_detail_kind: str
    keys_digits: str
    keys_callback: str
    keys_reminder: str
    keys_person: str


ENGLISH = Sentences(
    greeting=(
        "Thank you for calling {clinic}. I am the clinic's assistant, a computer. "
        "Tell me what you need, or press 1 to book a visit, 2 to change one, 3 to cancel one. "
        "Say person or press 0 to reach a person. How can I help?"
    ),
    greeting_closed=(
        "Thank you for calling {clinic}. {emergency} I am the clinic's assistant, a computer. "
        "Tell me what you need, or press 1 to book a visit, 2 to change one, 3 to cancel one. "
        "Say person or press 0 to leave word for a person. How can I help?"
    ),
    other_language="For English, press 8.",
    menu="How can I help?",
    again="Sorry, I did not get that. Please say it once more. {question}",
    again_keys="Sorry, I still did not get that. {question}",
    silence="Sorry, I did not hear you. {question}",
    silence_slow="I still cannot hear you. Please speak, or use the keys. Press 0 for a person. {question}",
    nothing_heard="I am sorry that I could not hear you. Goodbye.",
    call_back="I am sorry that I could not hear you. Our desk will call you back. Goodbye.",
    wait="One moment, please.",
    too_slow="Sorry, this takes longer than it should. Our desk will call you back. Goodbye.",
    down="Sorry, our assistant has a problem right now. We kept your request, and our desk will call you back. Goodbye.",
    database_down="Sorry, our assistant has a problem right now. Our desk will call you back. If this is an emergency, call 911.",
    transfer="I will connect you with our desk now.",
    desk_closed="{emergency} Our desk is closed now.",
    ask_callback="Our desk will call you back. When would be a good time? Or say message, or press 3, to leave a message.",
    ask_callback_number="Which number may our desk call? Please say it or key it in, then press pound.",
    callback_noted="Thank you. I have told our desk: {when}. Goodbye.",
    number_noted="Thank you. Our desk will call {number}. Goodbye.",
    leave_message="Please speak after the tone. Press pound when you are done.",
    not_reached="Sorry, nobody could take the call. Our desk will call you back. To leave a message, speak after the tone.",
    recorded="Thank you. Our desk has your message and will call you back. Goodbye.",
    goodbye="Thank you for calling. Goodbye.",
    desk_has_it="Our desk has your request and will call you back. Goodbye.",
    heard="I heard: {words}. Is that right?",
    say_it_again="All right. Please say it again. {question}",
    ask_details="Shall I text you the details?",
    details_sent="I have texted them to you. Is there anything else?",
    details_not_sent="All right. Is there anything else?",
    reminder_for="Hello, I am the assistant of {clinic}, a computer. I have a reminder for {patient}. Is this {patient}?",
    reminder_visit="You have a visit on {day} at {time}. Can you come?",
    reminder_not_there="Thank you. Please have them call us at {phone}. Goodbye.",
    reminder_over="Hello, this is the assistant of {clinic}. There is nothing that you need to do. Goodbye.",
    whisper="A caller for you. {who}. {why} To take the call, press 1.",
    whisper_connect="Connecting.",
    anything_else="Is there anything else?",
    more="Here are more.",
    no_such_key="That key does nothing here.",
    keys_menu=(
        "To book a visit, press 1. To change one, 2. To cancel one, 3. To hear when it is, 4. "
        "For a person, 0. To hear this again, star."
    ),
    keys_yes_or_no="Press 1 for yes, 2 for no.",
    keys_choice="To choose a time, press its number. For other times, press 9.",
    keys_number="Please press the number.",
    keys_birth_date="Please key in eight digits: two for the month, two for the day, four for the year.",
    keys_time=(
        "For the soonest time, press 1. This week, 2. Next week, 3. Any morning, 4. Any afternoon, 5. "
        "Or key in a date with four digits, month and day."
    ),
    keys_one="For {{what}}, press {{key}}.",
    keys_more="For more, press 9.",
    keys_detail_kind="For your phone number, press 1. Address, 2. E-mail, 3. Your health, 4.",
    keys_digits="You can key in the digits, then press pound.",
    keys_callback="For the morning, press 1. For the afternoon, 2. To leave a message, 3.",
    keys_reminder="To confirm, press 1. To change it, 2. To cancel it, 3. For a person, 0.",
    keys_person="For a person, press 0.",
)

SPANISH = Sentences(
    greeting=(
        "Gracias por llamar a {clinic}. Soy el asistente de la clínica, una computadora. "
        "Dígame qué necesita, u oprima 1 para reservar una cita, 2 para cambiarla, 3 para cancelarla. "
        "Diga persona u oprima 0 para hablar con una persona. ¿En qué le ayudo?"
    ),
    greeting_closed=(
        "Gracias por llamar a {clinic}. {emergency} Soy el asistente de la clínica, una computadora. "
        "Dígame qué necesita, u oprima 1 para reservar una cita, 2 para cambiarla, 3 para cancelarla. "
        "Diga persona u oprima 0 para dejar un recado a una persona. ¿En qué le ayudo?"
    ),
    other_language="Para español, oprima 8.",
    menu="¿En qué le ayudo?",
    again="Perdón, no le entendí. Dígalo otra vez, por favor. {question}",
    again_keys="Perdón, todavía no le entendí. {question}",
    silence="Perdón, no le oí. {question}",
    silence_slow="Todavía no le oigo. Hable, por favor, o use las teclas. Oprima 0 para hablar con una persona. {question}",
    nothing_heard="Perdón, no pude oírle. Adiós.",
    call_back="Perdón, no pude oírle. La recepción le llamará. Adiós.",
    wait="Un momento, por favor.",
    too_slow="Perdón, esto tarda más de lo debido. La recepción le llamará. Adiós.",
    down="Perdón, nuestro asistente tiene un problema. Guardamos su petición y la recepción le llamará. Adiós.",
    database_down="Perdón, nuestro asistente tiene un problema. La recepción le llamará. Si es una emergencia, llame al 911.",
    transfer="Le comunico con la recepción.",
    desk_closed="{emergency} La recepción está cerrada ahora.",
    ask_callback="La recepción le llamará. ¿A qué hora le conviene? O diga mensaje, u oprima 3, para dejar un mensaje.",
    ask_callback_number="¿A qué número le podemos llamar? Dígalo o márquelo, y oprima gato.",
    callback_noted="Gracias. La recepción ya lo sabe: {when}. Adiós.",
    number_noted="Gracias. La recepción llamará al {number}. Adiós.",
    leave_message="Hable después del tono. Oprima gato al terminar.",
    not_reached="Perdón, nadie pudo tomar la llamada. La recepción le llamará. Para dejar un mensaje, hable después del tono.",
    recorded="Gracias. La recepción tiene su mensaje y le llamará. Adiós.",
    goodbye="Gracias por llamar. Adiós.",
    desk_has_it="La recepción tiene su petición y le llamará. Adiós.",
    heard="Escuché: {words}. ¿Es correcto?",
    say_it_again="Está bien. Dígalo otra vez, por favor. {question}",
    ask_details="¿Le mando los detalles por mensaje de texto?",
    details_sent="Ya se los mandé. ¿Algo más?",
    details_not_sent="Está bien. ¿Algo más?",
    reminder_for="Hola, soy el asistente de {clinic}, una computadora, con un recordatorio para {patient}. ¿Hablo con {patient}?",
    reminder_visit="Tiene una cita el {day}, {time}. ¿Puede venir?",
    reminder_not_there="Gracias. Por favor pídale que nos llame al {phone}. Adiós.",
    reminder_over="Hola, soy el asistente de {clinic}. No tiene que hacer nada. Adiós.",
    whisper="A caller for you, in Spanish. {who}. {why} To take the call, press 1.",
    whisper_connect="Connecting.",
    anything_else="¿Algo más?",
    more="Aquí hay más.",
    no_such_key="Esa tecla no sirve aquí.",
    keys_menu=(
        "Para reservar una cita, oprima 1. Para cambiarla, 2. Para cancelarla, 3. Para saber cuándo es, 4. "
        "Para hablar con una persona, 0. Para oírlo otra vez, asterisco."
    ),
    keys_yes_or_no="Oprima 1 para sí, 2 para no.",
    keys_choice="Para escoger una hora, oprima su número. Para otras horas, oprima 9.",
    keys_number="Oprima el número, por favor.",
    keys_birth_date="Marque ocho dígitos: dos para el mes, dos para el día, cuatro para el año.",
    keys_time=(
        "Para la hora más próxima, oprima 1. Esta semana, 2. La próxima semana, 3. Por la mañana, 4. Por la tarde, 5. "
        "O marque una fecha con cuatro dígitos, mes y día."
    ),
    keys_one="Para {{what}}, oprima {{key}}.",
    keys_more="Para oír más, oprima 9.",
    keys_detail_kind="Para su teléfono, oprima 1. Dirección, 2. Correo, 3. Su salud, 4.",
    keys_digits="Puede marcar los dígitos, y luego oprima gato.",
    keys_callback="Por la mañana, oprima 1. Por la tarde, 2. Para dejar un mensaje, 3.",
    keys_reminder="Para confirmarla, oprima 1. Para cambiarla, 2. Para cancelarla, 3. Para hablar con una persona, 0.",
    keys_person="Para hablar con una persona, oprima 0.",
)


def say(clinic: ClinicFile, language: str, name: str, **more: str) -> str:
    """The sentence called `name` in the language, English where it is not ours, with what it names filled in."""
    sentences = SPANISH if language.lower().startswith("es") else ENGLISH
    template: str = getattr(sentences, name)
    return template.format(clinic=clinic.clinic.name, phone=spoken_number(clinic.clinic.phone), **more).strip()
