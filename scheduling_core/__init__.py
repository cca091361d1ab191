"""The clinic: its calendar, its patients, its visits. Knows neither Flask, Rasa, Twilio nor dateparser."""
