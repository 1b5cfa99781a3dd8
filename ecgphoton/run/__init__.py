"""Whole journeys, one module each: what the commands call and what scripts may call too."""
