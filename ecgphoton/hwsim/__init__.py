"""Would it survive on the chips you will really get? Monte Carlo over fabricated chips."""
