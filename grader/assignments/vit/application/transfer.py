"""``train_classification_model_head_only``: a new head learns, and the ViT stays as it is."""

import numpy as np

from grader.assignment import Topic
from grader.assignments.vit.application import small_sets
from grader.assignments.vit.application.answers import HeadLogits, ReturnedHead, ReturnedOther
from grader.assignments.vit.application.learning import fit_after, fit_before, towards_labels
from grader.assignments.vit.application.returned import dict_of, evaluations_of, head_of, logits_of, training_of
from grader.assignments.vit.application.small_sets import EPOCHS, TRAIN_ITEMS, Array
from grader.evidence import Evidence, Probe
from grader.judging import Criterion, Fail, Skip, after, checks
from grader.raised import raised_words
from grader.sentences import number_of, return_hint, type_words
from grader.torchkit.accuracy import ObservedAccuracy, StateEvaluation, wrong_accuracy_hint

NAME = "train_classification_model_head_only"


def result(evidence: Evidence) -> None:
    """It returns a dict with "acc", "vit" and "classifier"."""
    returned = training_of(evidence).result
    if isinstance(returned, ReturnedOther):
        what = type_words(returned.type)
        raise Fail(
            f'expected a dict with "acc", "vit" and "classifier", got {what}'
            + (f" of {number_of(returned.items, 'value')}" if returned.items else ""),
            return_hint(what, 'Return {"acc": …, "vit": …, "classifier": …}.'),
        )
    absent = [name for name in ("acc", "vit", "classifier") if name not in returned.keys]
    if absent:
        there = ", ".join(repr(key[:40]) for key in returned.keys[:6]) or "no keys"
        raise Fail(f"expected the key {' and the key '.join(map(repr, absent))} in the returned dict, got {there}")


def vit_unchanged(evidence: Evidence) -> None:
    """The given ViT keeps its weights and buffers, and is the one that comes back."""
    vit = training_of(evidence).vit
    changed = _changed(vit.before, vit.after)
    weights = [name for name in changed if name not in vit.buffers]
    if weights:
        is_own = vit.before.keys() != evidence["transfer"].question.args["vit"].keys()
        which = ", ".join(f"`{name[:60]}`" for name in weights[:3]) if is_own else "they"
        raise Fail(
            f"expected the given ViT to keep its weights, but {which} changed",
            "Give the optimizer the parameters of the classification head alone, and let nothing else set the ViT's weights, as "
            "half() or a new start of them would.",
        )
    if changed:
        raise Fail(
            "the ViT is in train mode while the head is trained: given a ViT with a BatchNorm, its running statistics "
            "changed",
            "In train mode a model updates its statistics and applies dropout, frozen or not: call vit_model.eval() "
            "after whatever puts it into train mode.",
        )
    returned = dict_of(evidence).vit
    if returned is None:
        raise Fail('expected the ViT or its state dict under "vit"')
    if _changed(vit.before, returned):
        raise Fail(
            'the ViT under "vit" is not the one that was given: its weights differ',
            "Was a new ViT built, or a copy trained? The features are those of `vit_model`, which stays as it is.",
        )
    if training_of(evidence).moved:
        raise Fail(
            "the ViT is trained together with the head, and has its old weights again in the end: the head has learned "
            "from other features than those of the ViT that comes back",
            "Give the optimizer the parameters of the head alone; then there is nothing to put back.",
        )
    if training_of(evidence).copy_trained:
        raise Fail(
            "the head is trained together with another ViT than the one that is given: its features are not those of "
            "the ViT that comes back",
            "Compute the features by `vit_model` itself, and give the optimizer the parameters of the head alone.",
        )


def _changed(before: dict[str, Array], later: dict[str, Array]) -> list[str]:
    return [
        n for n in {**before, **later} if n not in later or n not in before or not np.array_equal(before[n], later[n])
    ]


def head_learned(evidence: Evidence) -> None:
    """A new ClassificationHead learns from the training items, on the features of the given ViT."""
    head, known = head_of(evidence), evidence["transfer"].known
    if not isinstance(head.logits, HeadLogits):
        raise Fail(
            'what comes back under "classifier" does not fit a ClassificationHead on the ViT\'s features: it '
            + raised_words(head.logits.exception),
            "Train a `ClassificationHead(hidden_size)`, and return it or its state dict: those of other layers have other names.",
        )
    if head.moved is False:
        steps = training_of(evidence).steps
        raise Fail(
            f'the head under "classifier" was never trained: after {steps} optimizer steps its weights are unchanged',
            "Is there a loss.backward(), does the optimizer hold the parameters of the head that is returned, is its "
            "learning rate above 0, and is its state dict taken after the training?"
            if steps else "Is there a loss.backward() and an optimizer.step()?",
        )  # fmt: skip
    before, then = fit_before(head, known["looks"]), fit_after(head, known["looks"])
    conflict, agreeing = then.conflict - before.conflict, then.agreeing - before.agreeing
    # Conflict over agreement that training on the test items gives at most: it gave -3 to 0.1, right heads 0.8.
    max_conflict_of_test_items = 0.4
    # The same of what the head prefers at last: weights that begin large may prefer the right labels before they learn.
    at_last = then.conflict.mean() < max_conflict_of_test_items * then.agreeing.mean()
    if (
        _may_be_others(head)
        and (agreeing > 0).all()
        and conflict.mean() < max_conflict_of_test_items * agreeing.mean()
        and at_last
    ):
        raise Fail(
            "the head was trained on the test items", "Train on `train_dataset`; `test_dataset` is for measuring only."
        )
    same_items = "Are the features those of `vit_model`, in eval mode, and the labels those of the same items?"
    if not (then.loss < before.loss - 1e-7 or then.right > before.right):
        raise Fail(
            "training did not make the head better at the training items, by the features of `vit_model`: "
            f"its loss was {before.loss:.3f} before and is {then.loss:.3f} after",
            same_items,
        )
    if then.right >= 0.9:  # no other labels lead there, however little the logits had to move
        return
    # How far learning moves the logits of the right labels: right heads give 1.9 and more; those that learned from labels
    # in random order 0.6 ± 0.3. Few features lead less far: right heads give 1.5 where D is 8, 1.1 where it is 4.
    min_towards_labels, min_towards_labels_if_narrow, narrow = 1.5, 1.0, 16
    enough = min_towards_labels if known["width"] >= narrow else min_towards_labels_if_narrow
    if then.conflict.mean() < before.conflict.mean() or towards_labels(head, known["looks"]) < enough:
        raise Fail("the head did not learn the labels of the training items", same_items)


def _may_be_others(head: ReturnedHead) -> bool:
    """Whether some of what the head learned from may be no training items: changed ones are not known again."""
    return head.items is None or not head.rows or int(head.items.sum()) < 0.99 * head.rows


def epochs(evidence: Evidence) -> None:
    """It goes through the training items num_epochs times, an argument that need not be given."""
    if not training_of(evidence).has_default_epochs:
        raise Fail("num_epochs has no default: the call without it raises a TypeError", "Write num_epochs=5, as given.")
    head = head_of(evidence)
    if not head.rows or _goes_through(head):  # without rows it was solved at once, or trained elsewhere
        return
    if head.others:
        raise Fail(
            f"{head.others + 1} heads are made and trained, and the one that comes back learned in a part of the "
            "epochs alone",
            "Make the head and its optimizer once, before the loop over the epochs: a new head begins from nothing.",
        )
    different = 0 if head.items is None else int((head.items > 0).sum())
    share = f"{head.rows / TRAIN_ITEMS:.3g}"
    how_many = "once" if share == "1" else f"{share} times"
    repeated = f", and met only {different} different items" if 0 < different < TRAIN_ITEMS / 2 else ""
    raise Fail(
        f"called with num_epochs={EPOCHS}, it went through the training set {how_many}{repeated}",
        "Loop over range(num_epochs), the function's own argument, and over the whole loader in each epoch; does a return or "
        "a break stand inside one of the loops?",
    )


def _goes_through(head: ReturnedHead) -> bool:
    """Whether num_epochs passes give as many rows: some items may be held out, dropped or seen in several views."""
    items = np.zeros(TRAIN_ITEMS, np.int64) if head.items is None else head.items
    batches = np.zeros(0, np.int64) if head.batches is None else head.batches
    met, known = int((items > 0).sum()), int(items.sum())
    if head.rows >= (EPOCHS - 0.5) * TRAIN_ITEMS and _fits(head.reads / TRAIN_ITEMS):
        return True
    if known < head.rows / 4:  # features that were changed on the way: nobody knows which items were held out
        return EPOCHS / 2 <= head.rows / TRAIN_ITEMS <= EPOCHS + 0.5
    a_pass = met
    if len(batches) and (batches == batches[0]).all():  # the last batch may have been dropped
        a_pass = met // batches[0] * batches[0] or met if batches[0] else met
    return met >= TRAIN_ITEMS / 2 and (_fits(known / a_pass) or _fits(head.rows / TRAIN_ITEMS))


def _fits(passes: float) -> bool:
    return abs(passes - EPOCHS) <= 0.5


def gradients(evidence: Evidence) -> None:
    """Gradients are zeroed between steps."""
    training = training_of(evidence)
    batches = min(training.steps, training.backwards or training.steps)  # some take two steps with each, or many passes
    if training.steps > 2 and training.stale > (batches - 1) / 3:  # a gradient of 0 adds nothing, and comes late
        raise Fail(
            f"in {training.stale} backward passes the gradients of the step before were still there, and new ones were "
            "added to them",
            "Call optimizer.zero_grad() before loss.backward().",
        )


@after(vit_unchanged)
def accuracy(evidence: Evidence) -> None:
    """The accuracy that comes back is that of the returned head on all test items."""
    head, acc, known = head_of(evidence), dict_of(evidence).acc, evidence["transfer"].known
    if "acc" not in dict_of(evidence).keys:
        raise Skip  # `result` says so
    if isinstance(acc, str):
        raise Fail(f'expected a number under "acc", got {type_words(acc)}')
    if not isinstance(head.logits, HeadLogits):
        raise Skip
    right = logits_of(head, "test").argmax(1) == known["test_labels"]
    states, calls = evaluations_of(head, known["test_labels"])
    whole = [float(state.mean()) for state in states]
    if _is_accuracy(acc, right, whole, calls):
        return
    trained = float((logits_of(head, "train").argmax(1) == known["looks"]).mean())
    measured = ObservedAccuracy(right, TRAIN_ITEMS, trained, whole, calls[-1] if calls else StateEvaluation([], 0))
    returned = f"{acc:.3f}" if acc <= 1 else f"{acc:g}"
    raise Fail(
        f'expected the accuracy of the returned head on the test set under "acc", {right.mean():.3f}, got {returned}',
        wrong_accuracy_hint(acc, measured),
    )


def _is_accuracy(acc: float, right: Array, whole: list[float], calls: list[StateEvaluation]) -> bool:
    """Whether a number is the accuracy of the returned head, of its best state, or the mean over the batches of one.

    Args:
        right: (n,) which test items the head is right about.
        whole: its accuracies in all states that were seen.
        calls: how it was evaluated in these.
    """
    share = acc / 100 if acc > 1 else acc
    averaged = [float(np.mean([hits.mean() for hits in c.hits])) for c in calls if c.items == len(right)]
    tolerance = 0.01  # of the returned head's accuracy, or the best one seen: half precision, rounding
    near = any(abs(share - found) <= tolerance for found in (right.mean(), max(whole, default=right.mean())))
    exact = 0.0006  # of the mean over batches, in any state that was seen: rounding to three digits
    return near or any(abs(share - found) <= exact for found in averaged)


TOPIC = Topic(
    probes=(
        Probe(
            "transfer",
            "transfer.run",
            small_sets.ask,
            lambda evidence: evidence.has(NAME),
            serves=("application.transfer",),
            needs=("vit.heads", "vit.model"),
        ),
    ),
    criteria=(
        Criterion(
            "application.transfer",
            checks(result, vit_unchanged, head_learned, epochs, gradients, accuracy),
            names=(NAME,),
        ),
    ),
)
