"""Studies of a student on many chips: each a public function that writes a folder of its own."""
