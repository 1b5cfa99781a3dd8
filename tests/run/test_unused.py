"""Settings of training: what acts is taken, and what would change nothing is refused."""

import pytest

from ecgphoton.errors import InputError
from ecgphoton.recipe import Recipe, override, read
from ecgphoton.recipes import shipped
from ecgphoton.run.unused import refuse_unused

FULL = "strategies.preset=full"


def refuse(*texts: str, classes: int = 2, sets: int = 1, stated: Recipe | None = None) -> None:
    """Refuse what changes nothing in a recipe with some settings."""
    stated = stated or read("original")
    refuse_unused(override(stated, texts), stated, classes, sets)


@pytest.mark.parametrize(
    ("texts", "classes", "lost", "partner"),
    [
        (["strategies.strength=3"], 2, "strategies.strength", "balance.class_weights=fixed"),
        (["strategies.boost=2"], 2, "strategies.boost", "strategies.preset=balanced"),
        (["guards.rescue_step=1.5"], 2, "guards.rescue_step", FULL),
        (["guards.cooldown=7"], 2, "guards.cooldown", "balance.class_weights=fixed"),
        (["balance.patient_cap=5"], 2, "balance.patient_cap", "balance.patient_weight=true"),
        (["distill.beta=1"], 2, "distill.beta", "distill.teacher=auto"),
        (["guards.listens_to_second_set=true", FULL], 2, "guards.listens_to_second_set", None),
        (
            ["strategies.strength=2", "balance.class_weights=none"],
            4,
            "strategies.strength",
            "balance.class_weights=auto",
        ),
        ([FULL], 4, "strategies.preset", None),
    ],
)
@pytest.mark.slow
def test_what_would_change_nothing_is_refused(texts, classes, lost, partner):
    """By name, with the choice that it acts with, where there is one."""
    with pytest.raises(InputError, match=rf"^{lost} is .* changes nothing") as refused:
        refuse(*texts, classes=classes)
    if partner is None:
        assert "acts with" not in str(refused.value)
    else:
        assert f"acts with {partner}:" in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    "texts",
    [
        ["guards.rescue_step=1.5", "guards.lock_after=7"],
        ["guards.cooldown=1000"],
        ["guards.collapse_high=0.9", "guards.collapse_low=0.1", "guards.rescue_limit=9"],
        ["strategies.boost=3", "strategies.auto_ratio=0.9", "strategies.adaptive_gain=3"],
        ["balance.abnormal=50", "balance.warm_up=100"],
    ],
)
def test_what_acts_is_taken(texts):
    """With all strategies on; a value far beyond what limits it is no value without effect."""
    refuse(*texts, FULL)


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipes_state_nothing_without_effect(name):
    """With the number of classes that each is for."""
    recipe = read(name)
    refuse_unused(recipe, recipe, 4 if name == "inter-patient-4" else 2, 1)


def test_what_a_recipe_states_may_be_switched_off():
    """What acted through it goes with it; what never acted in the recipe is refused."""
    acting = override(read("original"), ["balance.class_weights=fixed", "balance.abnormal=1.5"])
    refuse("balance.class_weights=none", stated=acting)
    with pytest.raises(InputError, match=r"balance\.abnormal is 1\.5"):
        refuse(stated=override(read("original"), ["balance.abnormal=1.5"]))
