"""Take a heartbeat classifier from training to photonic hardware, with a statistical verdict.

>>> import ecgphoton as ep
>>> beats = ep.load_splits(data="synthetic").test  # 360 samples a beat, 360 Hz, in [-1, 1]
>>> student = ep.SegmentStudent(seed=0)  # 150 parameters
>>> ep.predict(student, beats).shape == (len(beats), 2)
True
>>> ep.run.simulate("inter-patient", noise=0.02, chips=200)  # doctest: +SKIP

``ep.run`` and ``ep.study`` hold what the commands do, by the same names and parameters.
Names are imported on first use, so that ``import ecgphoton`` stays instant.
"""

from ecgphoton.lazy import attach
from ecgphoton.version import __version__ as __version__

attach(__name__, __file__)
