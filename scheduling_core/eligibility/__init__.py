"""Asking payers, and what their answers mean: for booking, and for what a visit costs.

`checks` keeps what is asked, `answers` finds what was answered, `facts` reads it, `costs` works out what the patient pays,
`meaning` says what a booking makes of it, `good_faith` is the estimate that the law wants for who pays alone.
"""
