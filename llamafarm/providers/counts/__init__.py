"""What the counts and costs that a server tells mean. Pure."""
