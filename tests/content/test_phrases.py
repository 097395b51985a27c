"""Words that a page puts together."""

from hematovision.content.phrases import told_apart


def test_no_two_labels_are_alike_and_the_first_one_stays_as_it_is():
    labels = {1: "Wei Chen", 2: "Ada", 3: "Wei Chen", 4: "Wei Chen (2)", 5: "Wei Chen"}
    assert told_apart(labels) == {1: "Wei Chen", 2: "Ada", 3: "Wei Chen (2)", 4: "Wei Chen (2) (2)", 5: "Wei Chen (3)"}
