"""How many kinds of random augmentation change images."""

from grader.assignment import Topic
from grader.assignments.vit.augmentation.tensors import expect_following, no_tensors, train_transform
from grader.evidence import Evidence
from grader.judging import Blocked, Criterion, Fail, checks
from grader.raised import raised_words
from grader.torchkit.images.kinds import RandomChanges, random_changes
from grader.torchkit.images.observed import ObservedRandomTransform


def two_kinds(evidence: Evidence) -> None:
    """`tfm_train` applies two or more different kinds of random augmentation that really change images."""
    train = train_transform(evidence)
    found = random_changes(train)
    if found.number >= 2:
        expect_following(train, "tfm_train")
        return
    if train.always_failed and not train.did.library_only:
        words = raised_words(train.raised) if train.raised else "raised"
        raise Blocked("augmentation.tensors", f"tfm_train {words}")
    if train.did.not_finite and not train.did.library_only:  # differences of infinite values tell nothing
        raise Blocked(
            "augmentation.tensors", f"tfm_train gives NaN or infinite values for {train.did.not_finite} images"
        )
    if not found.kinds and not train.did.library_only and (words := no_tensors(train)):
        raise Blocked("augmentation.tensors", f"tfm_train gives {words} instead of a tensor")
    raise Fail(_count(found), _hint(found, train))


def _count(found: RandomChanges) -> str:
    if not found.kinds:
        words = "no random augmentation that changes images was seen, two kinds are asked for"
    else:
        words = f"one kind of random augmentation changes images ({next(iter(found.kinds))}), two are asked for"
    return f"{words}; {'; '.join(found.idle[:4])}" if found.idle else words


def _hint(found: RandomChanges, train: ObservedRandomTransform) -> str:
    if found.idle and not train.varies:
        return "Is what they return used, as in image = augment(image)? Is a seed set before each call?"
    if found.idle:
        return "Correct the arguments of what does not change images at random, then apply it to one image a few times and look."
    if found.kinds:
        return (
            "Add another kind. The same transform twice, or with other numbers, is still one kind; and one that changes "
            "every image in the same way, such as a flip with p=1, is not random."
        )
    if not train.did.library_only:
        return "The same image gives the same tensor each time: are the random parts called? Is a seed set?"
    return "tfm_train should change an image differently each time, with two or more of the random transforms."


TOPIC = Topic(criteria=(Criterion("augmentation.variety", checks(two_kinds), ("tfm_train",)),))
