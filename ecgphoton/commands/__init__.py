"""Commands: arguments come in; printed tables or JSON and an exit code go out."""
