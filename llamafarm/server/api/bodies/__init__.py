"""What requests and answers hold, as the description at /docs has it."""
