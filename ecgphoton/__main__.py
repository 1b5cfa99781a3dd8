"""``python -m ecgphoton`` is the command ``ecgphoton``."""

from ecgphoton.cli import main

if __name__ == "__main__":
    main(prog_name="ecgphoton")
