"""What strangers may cost the server, and who is believed."""
