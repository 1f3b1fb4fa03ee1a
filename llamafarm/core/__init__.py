"""The vocabulary that every room shares: types, events, the reply, errors, figures. No I/O but `files`."""
