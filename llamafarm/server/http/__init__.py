"""HTTP/1.1 and what proxies add to it, with bounds before a request is known."""
