"""Experiments that come with the package, one TOML document each."""

from importlib import resources

FLAGSHIP = "inter-patient"
"""The recipe that is trained, and the shipped student that is taken, where none is named."""


def shipped() -> dict[str, str]:
    """Name and text of every recipe that comes with the package, by name."""
    files = [f for f in resources.files(__name__).iterdir() if f.name.endswith(".toml")]
    texts = {f.name.removesuffix(".toml"): f.read_text(encoding="utf-8") for f in files}
    return dict(sorted(texts.items()))


def purposes() -> dict[str, str]:
    """Name and first comment line of every recipe that comes with the package."""
    return {name: text.splitlines()[0].lstrip("# ").strip() for name, text in shipped().items()}
