"""Results, findings and progress as a person, or another program, reads them."""
