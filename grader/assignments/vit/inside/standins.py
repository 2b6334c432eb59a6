"""Small modules and functions with the interfaces of the assignment's, and no solution in them.

What rests on a part that may be broken is exercised on these. They take whatever arguments a student
passes, cost far less than a Vision Transformer, and keep note of how they were used.

Shapes: B batch, C channels, N patches, D hidden size, E embedding size.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import Signature
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Subset

from grader.assignments.vit.inside.constants import EVALUATION_ARGUMENTS, GRID, SAMPLER_ARGUMENTS, SHIFT
from grader.torchkit.inside.followed_models import bound_arguments, signature_of


class Calls(list[dict[str, Any]]):
    """Notes of calls, the same ones for a module and its copies."""

    def __deepcopy__(self, memo: Any) -> "Calls":
        return self


class StandIn(nn.Module):
    """A module whose one input may be given by any name: what a student's own ``forward`` calls it is theirs to choose."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not args and len(kwargs) == 1:
            args, kwargs = tuple(kwargs.values()), {}
        return super().__call__(*args, **kwargs)


class ModeRecorder(StandIn):
    """A module that shows whether it is in train mode, and remembers in which mode it was used.

    In train mode the mean of the batch is taken off and a tenth of the features is dropped; in eval mode
    the running mean is taken off, which is a buffer as BatchNorm's.
    """

    running_mean: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(features))
        self.calls = Calls()

    def recorded(self, features: Tensor) -> Tensor:
        """Note a call and apply what tells the modes apart."""
        self.calls.append({"training": self.training, "grad": torch.is_grad_enabled(), "batch": len(features)})
        del self.calls[5_000:]
        if not self.training:
            return features - SHIFT * self.running_mean
        mean = features.mean(0)
        rate = 0.1  # of dropout, and by which the running mean follows
        with torch.no_grad():
            self.running_mean.lerp_(mean.detach().to(self.running_mean.dtype), rate)
        return F.dropout(features - SHIFT * mean, rate)


class ViT(ModeRecorder):
    """(B, C, H, W) images → (B, D): pooled to 7x7 pixels, all channels together, one linear map.

    Attributes:
        form: makes another form of the (B, D), where a student's own ViT returns one; None for the contract's.
    """

    form: Callable[[Tensor], Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        hidden_size = _size(args, kwargs, 3, ("hidden_size", "d_model", "width", "embed_dim"), 64)
        super().__init__(hidden_size)
        self.arguments = (args, kwargs)
        self.hidden_size = hidden_size
        self.features = nn.Linear(GRID * GRID, hidden_size)

    def forward(self, x: Tensor) -> Any:
        features = self.recorded(self.features(_pooled(x)))
        return features if self.form is None else self.form(features)


class LinearEmbeddingHead(ModeRecorder):
    """(B, D) → (B, E): one linear map. It has a parameter that has no effect, as no right head has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        hidden_size = _size(args, kwargs, 0, ("hidden_size",), 64)
        size = _size(args, kwargs, 1, ("embed_size", "embedding_size"), 64)
        super().__init__(size)
        self.arguments = (args, kwargs)
        self.linear = nn.Linear(hidden_size, size)
        self.unused = _unused()

    def forward(self, x: Tensor) -> Tensor:
        return self.recorded(self.linear(x) + 0 * self.unused.sum())


class HeadOfAnyWidth(LinearEmbeddingHead):
    """A head whose features may have another width than it was built for."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.adaptive_avg_pool1d(x, self.linear.in_features))


class ClassificationHead(StandIn):
    """(B, D) → (B, classes), the same in both modes: nobody need put a head without dropout into eval mode.

    It has a parameter that has no effect, as no right head has.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        hidden_size = _size(args, kwargs, 0, ("hidden_size",), 64)
        self.linear = nn.Linear(hidden_size, _size(args, kwargs, 1, ("num_classes",), 10))
        self.unused = _unused()

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(torch.asinh(x)) + 0 * self.unused.sum()


def head_called_as(own: Any) -> type[ClassificationHead]:
    """A head that takes its arguments in the order of a student's own."""
    signature = signature_of(own)

    class Head(ClassificationHead):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(**_as_called(("hidden_size", "num_classes"), signature, args, kwargs))

    return Head


def _unused() -> nn.Parameter:
    """A parameter whose gradient is zero: whoever hands a stand-in in as a solution loses its criterion by it.

    It is a part of what is computed, for whoever asks for the gradients of all parameters.
    """
    return nn.Parameter(torch.zeros(1, 1, 1))


class PatchEmbeddings(StandIn):
    """(B, C, H, W) → (B, N, D): the mean colour of each cell of a grid, one linear map."""

    def __init__(self, image_size: int, patch_size: int, hidden_size: int, num_channels: int = 3) -> None:
        super().__init__()
        self.arguments = {"image_size": image_size, "patch_size": patch_size, "hidden_size": hidden_size}
        self.arguments["num_channels"] = num_channels
        self.cells = image_size // patch_size
        self.num_patches = self.cells**2
        self.linear = nn.Linear(num_channels, hidden_size)

    def __getattr__(self, name: str) -> Any:
        """The number of patches under other names, by which a student's own ViT may ask for it."""
        is_count = "patches" in name or name in ("N", "n_patch", "num_patch")
        return self.num_patches if is_count and name != "num_patches" else super().__getattr__(name)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.adaptive_avg_pool2d(x, self.cells)  # (B, C, cells, cells)
        return self.linear(pooled.flatten(2).transpose(1, 2))


class PositionEmbedding(StandIn):
    """(B, N, D) → (B, N + 1, D): every token out of all, each with weights of its own."""

    def __init__(self, num_patches: int, hidden_size: int) -> None:
        super().__init__()
        self.arguments = {"num_patches": num_patches, "hidden_size": hidden_size}
        self.shares = nn.Linear(num_patches, num_patches + 1, bias=False)  # LayerNorm would hide a bias

    def forward(self, x: Tensor) -> Tensor:
        return self.shares(x.mT).mT


class Transformer(StandIn):
    """(B, N + 1, D) → same: tokens are mixed by their mean; every argument changes what comes out.

    The first token is doubled, so that tokens in another order give something else, as in no right Transformer.
    """

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.arguments = {"width": width, "layers": layers, "heads": heads}
        self.mixes = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.share = 1.0 / heads
        self.out = nn.Identity()  # puts the tokens out where ``forward`` itself is called, which no hook sees

    def forward(self, x: Tensor) -> Tensor:
        for mix in self.mixes:
            x = x + self.share * torch.tanh(mix(x)).mean(1, keepdim=True)
        return self.out(torch.cat([2 * x[:, :1], x[:, 1:]], dim=1))


def vit_of(weights: Mapping[str, np.ndarray], form: Callable[[Tensor], Any] | None = None) -> ViT:
    """A ViT of the width that its weights have; it returns its features in a form."""
    vit: ViT = filled(ViT(hidden_size=weights["features.weight"].shape[0]), weights)
    vit.form = form
    return vit


def filled(module: nn.Module, arrays: Mapping[str, np.ndarray]) -> Any:
    """Give a stand-in its weights, by the names of its state dict."""
    module.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}, strict=False)
    return module


def get_embeddings(x: Tensor, vit_model: ViT, model_embedding: LinearEmbeddingHead) -> Tensor:
    """(B, C, H, W) → (B, E): what these stand-ins compute in eval mode, worked out from their numbers.

    They may come in any order: that of the student's ``get_embeddings`` is judged by itself.
    """
    given, kinds = (x, vit_model, model_embedding), cast(tuple[Any, ...], (Tensor, ViT, LinearEmbeddingHead))
    x, vit_model, model_embedding = (next(each for each in given if isinstance(each, kind)) for kind in kinds)
    rows = _pooled(x)
    steps = ((vit_model.features, vit_model.running_mean), (model_embedding.linear, model_embedding.running_mean))
    for layer, mean in steps:
        rows = rows @ layer.weight.detach().T + layer.bias.detach() - SHIFT * mean
    return rows


def in_the_order_of(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """Make what stands in for a ``get_embeddings`` that is right: it takes its arguments in no other order.

    Raises, when it is called:
        TypeError: they are others than the images, the ViT and the head, in this order.
    """
    taken = signature_of(function)
    if taken is None:
        return get_embeddings

    def embeddings(*args: Any, **kwargs: Any) -> Tensor:
        bound = taken.bind(*args, **kwargs)
        given = [*bound.args, *bound.kwargs.values()][:3]
        if not all(map(isinstance, given, (Tensor, ViT, LinearEmbeddingHead))):
            kinds = ", ".join(type(each).__name__ for each in given)
            raise TypeError(f"get_embeddings takes the images, the ViT and the head in this order, got {kinds}")
        return get_embeddings(*given)

    return embeddings


def _pooled(x: Tensor) -> Tensor:
    gray = x if x.shape[1] == 1 else x.mean(1, keepdim=True)  # a mean over one channel costs more than the pooling
    return F.adaptive_avg_pool2d(gray, GRID).flatten(1)  # (B, 49)


def sample_balanced_subset(calls: list[dict[str, Any]], signature: Signature | None = None) -> Callable[..., Subset]:
    """Make a sampler as the given one, which notes what it is called with.

    Args:
        signature: of the student's own, by which it is called; None for that of the given one.
    """

    def sampler(*args: Any, **kwargs: Any) -> Subset:
        given = _as_called(SAMPLER_ARGUMENTS, signature, args, kwargs)
        train_dataset, count = given["train_dataset"], given.get("n_samples_per_class", 50)
        targets = torch.as_tensor(train_dataset.targets)
        rows = [torch.nonzero(targets == label).flatten().tolist() for label in range(given.get("n_classes", 10))]
        chosen = [row for of_class in rows for row in of_class[:count]]
        calls.append({"n_samples_per_class": count})
        return Subset(train_dataset, chosen)

    return sampler


def evaluate_at_end_epoch(
    calls: list[dict[str, Any]], best: float = 0.5, signature: Signature | None = None
) -> Callable[..., float]:
    """Make an evaluation that notes its arguments and always finds the same, so that a plateau is met.

    Args:
        signature: of the student's own, by which it is called; None for that of the given one.
    """

    def evaluate(*args: Any, **kwargs: Any) -> float:
        given = _as_called(EVALUATION_ARGUMENTS, signature, args, kwargs)
        for model in (given.get("vit_model"), given.get("model_embedding")):
            if isinstance(model, nn.Module):  # as the real one, which leaves both models in eval mode
                model.eval()
        calls.append(given)
        print(f"Best Precision@1: {best:.4f}")
        return best

    return evaluate


def _as_called(
    names: Sequence[str], signature: Signature | None, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by the given names: as a student's own signature has them, where it tells; else in order."""
    bound = {} if signature is None else bound_arguments(names, signature, args, kwargs)[0]
    return bound or {**dict(zip(names, args, strict=False)), **kwargs}


def _size(args: tuple[Any, ...], kwargs: Mapping[str, Any], place: int, names: tuple[str, ...], default: int) -> int:
    """Find a size among arguments, by name or by place."""
    for name in names:
        if isinstance(kwargs.get(name), int):
            return int(kwargs[name])
    return int(args[place]) if len(args) > place and isinstance(args[place], int) else default
