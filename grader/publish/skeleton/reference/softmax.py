"""Softmax by hand. Shapes: N rows of scores, K classes."""

from torch import Tensor


def softmax(scores: Tensor) -> Tensor:
    """Turn scores into probabilities.

    Args:
        scores: (N, K), of any size.

    Returns:
        (N, K) positive numbers; each row adds up to 1.
    """
    ### BEGIN SOLUTION: each row's probabilities, for scores of any size
    shifted = scores - scores.max(dim=1, keepdim=True).values  # the largest is 0: exp cannot overflow
    powers = shifted.exp()
    return powers / powers.sum(dim=1, keepdim=True)
    ### END SOLUTION
