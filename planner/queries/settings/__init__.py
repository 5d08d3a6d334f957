"""What the pages under Settings show: one function per page, in a fixed number of statements."""
