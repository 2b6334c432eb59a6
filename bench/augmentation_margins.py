"""How surely part 1 is judged: correct transforms over many seeds, and changes of one kind only.

    python bench/augmentation_margins.py [--seeds 200] [--one-kind-seeds 20] [--only NAME…]

For each pipeline: how many seeds it was judged with, how many kinds of change were counted (least and most),
and how often `augmentation.tensors` did not pass. A line that begins with *** is a wrong verdict: fewer than
two kinds in a correct variant, or other than one kind in a change of one kind.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from grader.assignments.vit import augmentation
from grader.assignments.vit.augmentation.tensors import train_transform
from grader.assignments.vit.corpus import faults_augmentation, variants_augmentation
from grader.torchkit import fashion_mnist as data
from grader.torchkit.images.kinds import random_changes
from tests import harness

Bounds = Callable[[int], bool]

ONE_KIND = {  # body of a function of image (PIL) and a (its array)
    "rot_nearest": "return image.rotate(random.uniform(-15,15))",
    "rot_bilinear": "return image.rotate(random.uniform(-15,15), resample=Image.BILINEAR)",
    "rot_bicubic": "return image.rotate(random.uniform(-30,30), resample=Image.BICUBIC)",
    "rot_small": "return image.rotate(random.uniform(-3,3))",
    "rot_180": "return image.rotate(random.uniform(-180,180))",
    "rot90": "return np.rot90(a, random.randint(0,3))",
    "hflip": "return a[:, ::-1] if random.random()<.5 else a",
    "hflip05": "return a[:, ::-1] if random.random()<.05 else a",
    "vflip": "return a[::-1] if random.random()<.5 else a",
    "roll1": "return np.roll(a,random.randint(-1,1),1)",
    "roll14": "return np.roll(a,(random.randint(-14,14),random.randint(-14,14)),(0,1))",
    "shiftpad": "dx,dy=np.random.randint(0,5,2); return np.pad(a,2)[dy:dy+28,dx:dx+28]",
    "shiftpad4": "dx,dy=np.random.randint(0,9,2); return np.pad(a,4)[dy:dy+28,dx:dx+28]",
    "shiftsub": "return image.transform((28,28),Image.AFFINE,(1,0,random.uniform(-3,3),0,1,random.uniform(-3,3)),resample=Image.BILINEAR)",
    "shiftsubn": "return image.transform((28,28),Image.AFFINE,(1,0,random.uniform(-3,3),0,1,random.uniform(-3,3)))",
    "shiftrare": "return np.roll(a,2,1) if random.random()<.05 else a",
    "zoomcrop": "s=random.randint(20,28); l,t=random.randint(0,28-s),random.randint(0,28-s); return image.crop((l,t,l+s,t+s)).resize((28,28))",
    "zoomcropbil": "s=random.randint(20,28); l,t=random.randint(0,28-s),random.randint(0,28-s); return image.crop((l,t,l+s,t+s)).resize((28,28),Image.BILINEAR)",
    "zoomout": "s=random.randint(20,28); b=Image.new('L',(28,28)); b.paste(image.resize((s,s),Image.BILINEAR),(random.randint(0,28-s),random.randint(0,28-s))); return b",
    "shear": "return TF.affine(image,0,[0,0],1.0,[random.uniform(-15,15),0.])",
    "sheary": "return TF.affine(image,0,[0,0],1.0,[0.,random.uniform(-15,15)])",
    "persp": "return transforms.functional.perspective(image,[[0,0],[27,0],[27,27],[0,27]],[[random.randint(0,5),random.randint(0,5)],[27-random.randint(0,5),random.randint(0,5)],[27-random.randint(0,5),27-random.randint(0,5)],[random.randint(0,5),27-random.randint(0,5)]])",
    "elastic": "d=transforms.ElasticTransform.get_params([20.,20.],[4.,4.],[28,28]); return TF.elastic_transform(image,d)",
    "noise10": "return np.clip(a+np.random.randn(28,28)*10,0,255)",
    "noise25": "return np.clip(a+np.random.randn(28,28)*25,0,255)",
    "noise60": "return np.clip(a+np.random.randn(28,28)*60,0,255)",
    "noisevar": "return a+np.random.randn(28,28)*np.random.uniform(0,40)",
    "noiseuni": "return np.clip(a+np.random.uniform(-30,30,(28,28)),0,255)",
    "noiserare": "return a+np.random.randn(28,28)*20 if random.random()<.1 else a",
    "speckle": "return np.clip(a*(1+.2*np.random.randn(28,28)),0,255)",
    "salt": "m=np.random.rand(28,28); b=a.copy(); b[m<.03]=0; b[m>.97]=255; return b",
    "pixdrop": "return a*(np.random.rand(28,28)>.1)",
    "bright": "return np.clip(a*random.uniform(.7,1.3),0,255)",
    "brightadd": "return np.clip(a.astype(float)+random.uniform(-40,40),0,255)",
    "pilbright": "return ImageEnhance.Brightness(image).enhance(random.uniform(.5,1.5))",
    "pilcontrast": "return ImageEnhance.Contrast(image).enhance(random.uniform(.5,1.5))",
    "pilbc": "return ImageEnhance.Brightness(ImageEnhance.Contrast(image).enhance(random.uniform(.7,1.3))).enhance(random.uniform(.7,1.3))",
    "gamma": "return 255*(a/255.)**random.uniform(.5,2)",
    "invert": "return 255-a if random.random()<.5 else a",
    "solarize": "return ImageOps.solarize(image, random.randint(60,255))",
    "poster": "return ImageOps.posterize(image, random.randint(2,8))",
    "equal": "return ImageOps.equalize(image) if random.random()<.5 else image",
    "autoc": "return ImageOps.autocontrast(image, cutoff=random.randint(0,10))",
    "blur": "return image.filter(ImageFilter.GaussianBlur(random.uniform(0,1.5)))",
    "blur2": "return image.filter(ImageFilter.GaussianBlur(2)) if random.random()<.3 else image",
    "box": "return image.filter(ImageFilter.BoxBlur(1)) if random.random()<.5 else image",
    "sharp": "return ImageEnhance.Sharpness(image).enhance(random.uniform(0,3))",
    "sharpen": "return image.filter(ImageFilter.SHARPEN) if random.random()<.5 else image",
    "cutout": "b=a.copy(); y,x=np.random.randint(0,21,2); b[y:y+8,x:x+8]=0; return b",
    "cutoutbig": "b=a.copy(); y,x=np.random.randint(-8,21,2); b[max(y,0):y+14,max(x,0):x+14]=128; return b",
    "cutrand": "b=a.copy(); y,x=np.random.randint(0,21,2); b[y:y+8,x:x+8]=np.random.randint(0,256,(8,8)); return b",
    "cutrare": "b=a.copy(); y,x=np.random.randint(0,21,2)\nif random.random()<.1: b[y:y+6,x:x+6]=0\nreturn b",
    "cutsmall": "b=a.copy(); y,x=np.random.randint(0,25,2); b[y:y+3,x:x+3]=0; return b",
}


def one_kind(body: str) -> str:
    """A part of a submission whose tfm_train does one thing."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return (
        f"{faults_augmentation.IMPORTS}\n\ndef change(image):\n    a = np.asarray(image)\n{lines}\n\n"
        f"def tfm_train(image):\n    return to_tensor(np.asarray(change(image)))\n{faults_augmentation.TO_TENSOR}"
    )


def judged(source: str, seed: int, images: data.FashionMNIST) -> tuple[tuple[str, ...], bool]:
    """The kinds of change that are counted, and whether the tensors pass."""
    seen = harness.evidence({"augmentation": source}, [augmentation.TOPIC], seed=seed, data=images)
    found = random_changes(train_transform(seen))
    return tuple(kind for kind, count in found.kinds.items() for _ in range(count)), harness.judged(
        seen, "augmentation.tensors"
    ).status == "passed"


def line(name: str, source: str, seeds: int, images: data.FashionMNIST, right: Bounds) -> bool:
    """Judge one pipeline with many seeds and print what came of it."""
    start = time.perf_counter()
    results = [judged(source, seed, images) for seed in range(seeds)]
    counts = [len(kinds) for kinds, _ in results]
    refused = sum(not passed for _, passed in results)
    fine = all(map(right, counts)) and not refused
    kinds = sorted({" + ".join(kinds) for kinds, _ in results})
    seconds = (time.perf_counter() - start) / seeds
    mark = "   " if fine else "***"
    print(f"{mark} {name:28} {min(counts)}..{max(counts)} kinds, tensors refused {refused}, {seconds:.2f} s", end="")
    print(f"  {'; '.join(kinds)[:160]}", flush=True)
    return fine


def main() -> int:
    """Print a line for each pipeline."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--one-kind-seeds", type=int, default=20, help="for the changes of one kind, which are slow")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    images = data.load(options.data)
    pipelines = [
        (c.id, c.edits["augmentation.py"], options.seeds, at_least_two) for c in variants_augmentation.VARIANTS
    ]
    pipelines += [(name, one_kind(body), options.one_kind_seeds, just_one) for name, body in ONE_KIND.items()]
    chosen = [pipeline for pipeline in pipelines if not options.only or pipeline[0] in options.only]
    fine = [line(name, source, seeds, images, right) for name, source, seeds, right in chosen]
    print(f"{sum(fine)} of {len(fine)} judged right with every seed")
    return int(not all(fine))


def at_least_two(count: int) -> bool:
    return count >= 2


def just_one(count: int) -> bool:
    return count == 1


if __name__ == "__main__":
    sys.exit(main())
