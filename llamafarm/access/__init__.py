"""Who calls, and what they may: settings of the server, keys and login, the operator, tries that failed, signals."""
