"""Calls: what is heard, what is said, and what is asked of Twilio in between."""
