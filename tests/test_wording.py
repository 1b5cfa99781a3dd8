"""Numbers in words: one spelling of shares and counts."""

import pytest

from ecgphoton.wording import area, count, hardware, listed, percent, rise, words


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0213, 2, "2.13 %"),
        (-1e-9, 2, "0.00 %"),
        (0.125, None, "12.5 %"),
        (0.1, None, "10 %"),
        (None, 2, "–"),
    ],
)
def test_shares_are_per_cent_with_a_space(value, digits, text):
    """A limit keeps what it states: 12.5 % is not 12 %; nothing is -0."""
    assert percent(value, digits) == text


@pytest.mark.parametrize(
    ("rise_and_ends", "text"),
    [
        ((0.0067, 0.0029, 0.0105), "+0.67 [0.29, 1.05]"),
        ((0.0067, -0.1, 0.2), "+0.67 [-10.0, 20.0]"),
        ((-1e-9, -1e-9, 0.001), "+0.00 [0.00, 0.10]"),
        ((-0.002,), "-0.20"),
        ((None,), "–"),
    ],
)
def test_rises_are_percentage_points_with_their_interval(rise_and_ends, text):
    """A narrow interval has as many digits as the rise, a wide one fewer; nothing is -0."""
    assert rise(*rise_and_ends) == text


def test_one_thing_is_no_plural():
    """One chip, two chips; an area that is not known is a dash."""
    assert (count(1, "chip"), count(1200, "chip")) == ("1 chip", "1,200 chips")
    assert (area(1.0), area(None)) == ("1.0000", "–")


def test_names_of_files_and_keys_are_not_shown_as_they_are():
    """Sets and metrics are named in words, whatever their keys are called."""
    assert listed(["training", "out_of_fold"]) == "training, out of fold"
    assert (words("fpr"), words("DS2_without_202")) == ("FPR", "DS2 without 202")


def test_chips_have_a_profile_or_noise_or_both():
    """Without a profile the noise is stated, be it 0; with one, where there is some."""
    assert hardware({"profile": None, "noise": 0.0}) == "noise 0"
    assert hardware({"profile": "mems", "noise": 0.0}) == "mems"
    assert hardware({"profile": "mems", "noise": 0.02}) == "mems, noise 0.02"
