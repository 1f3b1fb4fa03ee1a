"""What many answers to one question show: agreement, diversity, checks, intervals, a recommendation. Pure."""
