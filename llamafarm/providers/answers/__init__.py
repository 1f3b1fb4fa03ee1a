"""Records of a server to events: text, reasoning, calls, the finish, failures. Pure but for `reading`."""
