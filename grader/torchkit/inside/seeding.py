"""The random generators that student code draws from."""

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed every generator that student code is likely to draw from."""
    torch.default_generator.manual_seed(seed)  # torch.manual_seed also looks for GPUs, which takes a millisecond
    np.random.seed(seed % 2**32)
    random.seed(seed)
