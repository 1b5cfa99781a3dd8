"""Take a heartbeat classifier from training to photonic hardware, with a statistical verdict."""

__version__ = "0.1.0"
