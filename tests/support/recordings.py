"""Made-up recordings in every format, for the tests of their readers."""

from __future__ import annotations

import numpy as np

FS = 250


def ecg(seconds=20, fs=FS, rr=0.8, seed=0):
    """Samples in mV of a made-up ECG, a P, QRS and T a beat, and its R samples."""
    rng = np.random.default_rng(seed)
    at = np.arange(int(seconds * fs)) / fs
    beats = np.cumsum(rr + 0.02 * rng.standard_normal(int(seconds / rr) + 2))
    beats = beats[beats < seconds - 1]
    signal = 0.01 * rng.standard_normal(len(at))
    for size, shift, width in ((0.1, -0.18, 0.025), (1, 0, 0.012), (-0.15, 0.03, 0.01),
                               (0.25, 0.25, 0.05)):  # fmt: skip
        for middle in beats + shift:
            near = slice(max(0, int((middle - 9 * width) * fs)), int((middle + 9 * width) * fs) + 1)
            signal[near] += size * np.exp(-0.5 * ((at[near] - middle) / width) ** 2)
    return signal, np.rint(beats * fs).astype(int)


def fibrillation(seconds, size, fs=FS):
    """Samples in mV of waves without QRS complexes, of some size, around 5 Hz."""
    rng = np.random.default_rng(0)
    at = np.arange(int(seconds * fs)) / fs
    rate = 5 + np.interp(at, np.arange(seconds + 1), rng.normal(0, 0.7, seconds + 1))
    return size / 2 * np.sin(2 * np.pi * np.cumsum(rate) / fs)


def write_wfdb(folder, name, signal, *, fs=FS, beats=None, fmt="16", units="mV", lead="MLII"):
    """Write a WFDB record of one lead or ``(samples, leads)``, with annotations atr."""
    import wfdb

    signal = np.asarray(signal)
    signal = signal[:, None] if signal.ndim == 1 else signal
    count = signal.shape[1]
    leads = [lead] if isinstance(lead, str) else list(lead)
    wfdb.wrsamp(
        name, fs=fs, units=[units] * count if isinstance(units, str) else units, sig_name=leads,
        p_signal=signal, fmt=[fmt] * count, write_dir=str(folder),
    )  # fmt: skip
    if beats is not None:
        wfdb.wrann(name, "atr", beats, ["N"] * len(beats), fs=fs, write_dir=str(folder))
    return folder / name


def write_edf(path, signal, *, fs=FS, label="ECG II", unit="uV", beats=(), symbols=()):
    """Write an EDF+ file of a patient, with a slow channel before the ECG."""
    import datetime

    import edfio

    length = len(signal) // fs * fs
    factor = {"uV": 1000, "mV": 1, "": 1, "\u00b5V": 1000}[unit]
    lead = edfio.EdfSignal(
        factor * signal[:length], fs, label=label, physical_dimension="uV" if factor > 1 else unit,
        physical_range=(-10.0 * factor, 10.0 * factor),
    )  # fmt: skip
    breath = edfio.EdfSignal(np.sin(np.arange(length // fs) / 3), 1, label="Resp")
    edfio.Edf(
        [breath, lead],
        patient=edfio.Patient(name="Erika_Mustermann", code="X4711", sex="F"),
        recording=edfio.Recording(startdate=datetime.date(2019, 3, 1)),
        annotations=[
            edfio.EdfAnnotation(float(at / fs), None, symbol)
            for at, symbol in zip(beats, symbols, strict=True)
        ],
    ).write(path)
    return path


def dicom_group(
    signal, *, fs=FS, unit="uV", lead="Lead II", code="5.6.3-9-2", channel="", label="",
    origin="ORIGINAL", begin=0,
):  # fmt: skip
    """Make a multiplex group of one lead that begins after `begin` seconds.

    The lead has a code with its meaning in words; its channel may have a label besides.
    """
    from pydicom.dataset import Dataset

    source = Dataset()
    source.CodeValue, source.CodingSchemeDesignator = code, "MDC" if ":" in code else "SCPECG"
    source.CodeMeaning = lead
    units = Dataset()
    units.CodeValue, units.CodingSchemeDesignator, units.CodeMeaning = unit, "UCUM", unit
    lead = Dataset()
    lead.ChannelSourceSequence, lead.ChannelLabel = [source], channel
    lead.ChannelSensitivity, lead.ChannelSensitivityUnitsSequence = "5", [units]
    lead.ChannelSensitivityCorrectionFactor, lead.ChannelBaseline = "1", "0"
    lead.WaveformBitsStored = 16
    group = Dataset()
    group.MultiplexGroupTimeOffset, group.WaveformOriginality = str(1000 * begin), origin
    group.MultiplexGroupLabel = label
    group.NumberOfWaveformChannels, group.NumberOfWaveformSamples = 1, len(signal)
    group.SamplingFrequency = str(fs)
    group.ChannelDefinitionSequence = [lead]
    group.WaveformBitsAllocated, group.WaveformSampleInterpretation = 16, "SS"
    stored = np.rint(np.nan_to_num(signal, nan=0) * {"uV": 1000}.get(unit, 1) / 5)
    stored = np.where(np.isnan(signal), -32768, stored).astype("<i2")
    group.add_new(0x5400100A, "OW", np.int16(-32768).tobytes())
    group.WaveformData = stored.tobytes()
    return group


def write_dicom(path, signal, *, groups=None, **kind):
    """Write a DICOM waveform of one lead, or of groups from `dicom_group`, of a patient."""
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    held = Dataset()
    held.file_meta = meta
    held.SOPClassUID, held.SOPInstanceUID = meta.MediaStorageSOPClassUID, generate_uid()
    held.PatientName, held.PatientID, held.Modality = "Mustermann^Erika", "X4711", "ECG"
    held.AcquisitionDateTime = "20190301083000"
    held.WaveformSequence = groups or [dicom_group(signal, **kind)]
    pydicom.dcmwrite(path, held, enforce_file_format=True)
    return path
