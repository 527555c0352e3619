import os

import pytest

from trakway.runtime import device, environment


@pytest.fixture
def gpus(monkeypatch):
    """Say how many GPUs this machine has; nothing is planned yet."""
    # Set, then removed: what is planned in a test is forgotten after it.
    monkeypatch.setenv(environment.DEVICE, "")
    monkeypatch.delenv(environment.DEVICE)
    return lambda count: monkeypatch.setattr(device, "visible_gpus", lambda: [str(number) for number in range(count)])


@pytest.mark.parametrize(("here", "planned"), [(0, "cpu"), (2, "cuda")])
def test_auto_is_decided_once_for_all_machines_of_a_run(gpus, here, planned):
    gpus(here)
    assert environment.planned_device("auto") == planned
    gpus(2 - here)  # the machine of a job
    assert environment.planned_device("auto") == planned


@pytest.mark.parametrize("choice", ["cpu", "cuda"])
def test_what_the_configuration_says_goes_before_what_was_planned(gpus, choice):
    gpus(1)
    environment.planned_device("auto")
    assert environment.planned_device(choice) == choice
    assert os.environ[environment.DEVICE] == choice
