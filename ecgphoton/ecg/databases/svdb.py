"""The MIT-BIH Supraventricular Arrhythmia Database: 78 records of half an hour, at 128 Hz.

The headers do not name the leads; some state a gain of 0, which means 200 units a mV.

References
----------
.. [1] Greenwald 1990, Ph.D. thesis, Harvard-MIT Division of Health Sciences and Technology.
.. [2] Goldberger et al. 2000, Circulation 101(23):e215, DOI 10.1161/01.CIR.101.23.e215.
"""

from ecgphoton.ecg.dataset import Dataset

DATASET = Dataset(
    name="svdb",
    title="MIT-BIH Supraventricular Arrhythmia Database 1.0.0",
    doi="10.13026/C2V30W",
    licence="ODC-By 1.0",
    url="https://physionet.org/files/svdb/1.0.0/",
    megabytes=54,
    published="1a659f73fbd87412a070f5b076b3b092c490943097f4fd5093cdf158f1869635",
    records=tuple(
        str(number)
        for first, last in ((800, 812), (820, 829), (840, 894))
        for number in range(first, last + 1)
    ),
    leads=("ECG1", "ECG2"),
    annotator="atr",
)
