"""The mesh program: a student as phases, codes and electronics, and the file that holds it."""
