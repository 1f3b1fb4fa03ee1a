"""One file a protocol: request to payload, records to events. A policy wraps a provider and is one."""
