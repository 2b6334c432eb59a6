"""The two scores that are really computed: accuracy and Precision@1 on the 10,000 test images."""

from grader.vit.thresholds.claims import computed_precision, recorded_precision

__all__ = ["computed_precision", "recorded_precision"]
