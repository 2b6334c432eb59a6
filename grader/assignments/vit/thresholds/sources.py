"""Where the two scores come from: the checkpoints, or a ViT that is trained here; and the probes about each."""

from grader.evidence import Evidence
from grader.intake.reading.members import original_name

CLASSIFIER, EMBEDDINGS = "checkpoint.classifier", "checkpoint.embeddings"
TRAINING, LONGER_TRAINING = "classifier.training", "classifier.training.longer"
FILES = {CLASSIFIER: "vit_classifier.pt", EMBEDDINGS: "vit_embeds.pt"}
THRESHOLDS = {CLASSIFIER: "accuracy", EMBEDDINGS: "precision_at_1"}  # names of the rubric's


def has_file(evidence: Evidence, probe: str) -> bool:
    """Whether the checkpoint that a probe is about was handed in."""
    return FILES[probe] in evidence.submission.files


def copy_read(evidence: Evidence, probe: str) -> str:
    """Say that a checkpoint was read from a copy with another name, as browsers make them; empty where it was not."""
    name, files = FILES[probe], evidence.submission.files
    read = files[name].name if name in files else name
    if read == name:
        return ""
    others = sorted(file for file in files if file not in (name, read) and original_name(file) == name)
    more = f"; {', '.join(others)} {'was' if len(others) == 1 else 'were'} not looked at" if others else ""
    return f"there is no {name}, so {read} was taken for it{more}"


def judges_checkpoint(evidence: Evidence) -> bool:
    """Whether the accuracy is that of vit_classifier.pt."""
    return has_file(evidence, CLASSIFIER) and evidence.options.get("train") != "always"


def last_training(evidence: Evidence) -> str:
    """The probe that trained the ViT last."""
    return LONGER_TRAINING if evidence.was_asked(LONGER_TRAINING) else TRAINING


def classifying(evidence: Evidence) -> str:
    """The probe whose answer holds the predicted classes: of the checkpoint, or of the last training."""
    return CLASSIFIER if judges_checkpoint(evidence) else last_training(evidence)
