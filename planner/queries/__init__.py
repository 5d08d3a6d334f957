"""What pages show: one read-only function per page."""
