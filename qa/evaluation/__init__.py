"""How well the parts do on questions with known answers: the `qa eval` reports."""
