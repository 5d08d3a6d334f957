"""Messages as bytes, and the ways out of the house: knows neither rows nor the clock."""
