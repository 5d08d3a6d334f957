"""planner keeps courses of treatment right."""
