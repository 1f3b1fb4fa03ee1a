"""What is kept of comparisons: plain dataclasses, their ids, their JSON, and the differences of two. No I/O."""
