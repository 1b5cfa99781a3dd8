"""The MIT-BIH Arrhythmia Database: 48 records of 47 subjects, half an hour each, at 360 Hz.

References
----------
.. [1] Moody & Mark 2001, IEEE Eng. Med. Biol. 20(3):45, DOI 10.1109/51.932724.
.. [2] Goldberger et al. 2000, Circulation 101(23):e215, DOI 10.1161/01.CIR.101.23.e215.
"""

from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.protocols import SAME_SUBJECT, names

DATASET = Dataset(
    name="mitdb",
    title="MIT-BIH Arrhythmia Database 1.0.0",
    doi="10.13026/C2F305",
    licence="ODC-By 1.0",
    url="https://physionet.org/files/mitdb/1.0.0/",
    megabytes=94,
    published="082a9664e00312678ebe93f561784ec6a32e8532d7e318b81cf16a99363c4a0d",
    records=names(
        "100 101 102 103 104 105 106 107 108 109 111 112 113 114 115 116 117 118 119 121 122 123 "
        "124 200 201 202 203 205 207 208 209 210 212 213 214 215 217 219 220 221 222 223 228 230 "
        "231 232 233 234"
    ),
    same_subject=SAME_SUBJECT,
    leads=("MLII", "V5"),  # 102 and 104 were recorded without MLII
    annotator="atr",
)
