"""Where to read about what each criterion asks for: papers with their sections, and pages of libraries."""

VIT_PAPER = "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words (arXiv 2010.11929)"
PML = "the documentation of pytorch-metric-learning"
READING = {
    "augmentation.variety": "torchvision's documentation, Transforming images, part Geometry",
    "augmentation.tensors": "torchvision's documentation: ToTensor and Normalize",
    "vit.shapes": "check_vit.py itself: each line names a class, what goes in and what must come out",
    "vit.patch_embeddings": f"{VIT_PAPER}, section 3.1, equation 1",
    "vit.position_embedding": f"{VIT_PAPER}, section 3.1, equation 1, and appendix D.4 on position embeddings",
    "vit.attention_block": f"{VIT_PAPER}, section 3.1, equations 2 and 3, and figure 1 on the right; "
    "torch.nn.MultiheadAttention for batch_first",
    "vit.model": f"{VIT_PAPER}, section 3.1, equations 1 to 4, and figure 1",
    "vit.heads": f"{VIT_PAPER}, section 3.1, the paragraph on the classification head",
    "vit.accuracy": "PyTorch's tutorials, Training a classifier, and Saving and loading models (state_dict)",
    "contrastive.embeddings": f"{PML}: testers and inference; torch.no_grad and Module.eval",
    "contrastive.training": f"{PML}: losses (TripletMarginLoss) and miners (TripletMarginMiner); "
    "Schroff et al. 2015, FaceNet (arXiv 1503.03832), sections 3.1 and 3.2",
    "contrastive.scheduler": "torch.optim's documentation, How to adjust learning rate",
    "contrastive.protected": "the assignment's paragraphs on given blocks and on what may be trained on",
    "contrastive.precision": f"{PML}: AccuracyCalculator (precision_at_1)",
    "contrastive.logs": "the notebook's own output: run the training cell to its end, and save the notebook",
    "application.knn": "torch.cdist and torch.topk, and what they return",
    "application.transfer": "PyTorch's tutorials, Transfer learning, part ConvNet as fixed feature extractor",
}
