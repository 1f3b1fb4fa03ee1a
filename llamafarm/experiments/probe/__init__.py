"""A probe: a dozen short questions that show what a model's server does. `plan` says what is asked, `heard` takes the
answers, the other files find one thing each in them, and `run` asks within bounds."""
