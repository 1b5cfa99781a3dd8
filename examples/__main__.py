"""Run every example and keep its picture, small, of tall ones the top.

python examples docs/figures/examples
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

COLOURS, WIDTH, TALLEST = 128, 760, 560


def main() -> None:
    """Draw all pictures of the gallery."""
    folder = Path(sys.argv[1])
    for script in sorted(Path(__file__).parent.glob("[!_]*.py")):
        began = time.perf_counter()
        out = folder / f"{script.stem}.png"
        subprocess.run([sys.executable, str(script), "--out", str(out)], check=True)
        drawn = Image.open(out).convert("RGB")
        if drawn.width > WIDTH:
            drawn = drawn.resize((WIDTH, round(drawn.height * WIDTH / drawn.width)), Image.LANCZOS)
        drawn = drawn.crop((0, 0, drawn.width, min(drawn.height, TALLEST)))
        drawn.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            out, optimize=True
        )
        print(f"{out}: {out.stat().st_size:,} bytes, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
