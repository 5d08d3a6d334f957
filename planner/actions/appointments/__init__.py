"""What a person does with one appointment: book it, move it, carry it through the day."""
