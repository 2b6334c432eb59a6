"""Numbers of the stand-ins and of small data sets, which the trusted side computes with too."""

GRID = 7  # pooled pixels along one side of an image
SHIFT = 0.5  # how much of the (running) mean a stand-in takes off
MEAN, STD = 0.286, 0.353  # of FashionMNIST's training pixels
# Attempts at a training in which the models are as large as the student's own numbers make them: a whole one, and one
# that ends when the ViT is first called.
AS_LARGE, BUILT = "own models, as large as they are", "own models, built as large as they are"
ANY_ARGUMENTS = "stand-ins that take any arguments"  # an attempt that shows the scheduler where no other goes through
SAMPLER_ARGUMENTS = ("train_dataset", "n_samples_per_class", "n_classes")  # of sample_balanced_subset, in order
# of evaluate_at_end_epoch, in order
EVALUATION_ARGUMENTS = (
    "vit_model", "model_embedding", "accuracy_calculator", "best_prec", "train_dataset", "test_dataset",
)  # fmt: skip
