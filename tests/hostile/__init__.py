"""What somebody hostile, careless or automatic sends, and that none of it does harm."""
