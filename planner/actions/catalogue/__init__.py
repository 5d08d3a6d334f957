"""What a manager sets up: sites, rooms, providers, services, protocols, rules, texts."""
