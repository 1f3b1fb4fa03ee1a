"""What one's own comparisons teach a router: arrays in, arrays out. Nothing here reads, writes, waits or asks."""
