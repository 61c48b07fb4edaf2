"""Every event type that a slice can write has a family, and so a colour."""

from library_app.event_words import FAMILY_OF, event_family, event_words
from slices.codec import EVENT_CLASSES


def test_every_stored_type_has_a_family() -> None:
    assert set(EVENT_CLASSES) <= set(FAMILY_OF)


def test_failures_and_only_failures_are_of_the_family_failure() -> None:
    assert {name for name in FAMILY_OF if event_family(name) == "failure"} == {
        name for name in FAMILY_OF if name.endswith("Failed")
    }


def test_a_type_is_told_in_words() -> None:
    assert event_words("StudentWithdrawnFromCourse") == "Student withdrawn from course"
    assert event_family("SomethingOfTomorrow") == "other"
