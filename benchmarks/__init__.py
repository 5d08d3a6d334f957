"""What ``make bench`` runs: each figure beside the least that the same work can cost."""
