import pytest

from trakway.data.source import did_you_mean, listed, pick_classes
from trakway.errors import UserError

KNOWN = ("t-shirt", "trouser", "coat", "shirt")


def test_classes_keep_the_order_asked_for():
    assert pick_classes(["shirt", "t-shirt"], KNOWN) == [3, 0]
    assert pick_classes(None, KNOWN) == [0, 1, 2, 3]


def test_unknown_class_gives_the_nearest_and_the_list():
    with pytest.raises(UserError, match=r"'Coats'; did you mean 'coat'\?.*t-shirt, trouser, coat, shirt"):
        pick_classes(["shirt", "Coats"], KNOWN)
    with pytest.raises(UserError, match=r"unknown class 'zzz'\. Known"):
        pick_classes(["shirt", "zzz"], KNOWN)


@pytest.mark.parametrize("names", [[], ["coat"], ["coat", "shirt", "coat"]])
def test_at_least_two_different_classes(names):
    with pytest.raises(UserError, match="at least two different classes"):
        pick_classes(names, KNOWN)


def test_messages_stay_short():
    assert listed([str(i) for i in range(1000)], most=3) == "0, 1, 2 … (1000 in all)"
    assert listed(["a", "b"]) == "a, b"
    assert did_you_mean("xyz", KNOWN) == ""
