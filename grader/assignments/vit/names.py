"""The assignment's names, in one place."""

HYPERPARAMETERS = (
    "image_size", "in_channels", "patch_size", "hidden_size", "layers", "heads", "embed_size",
    "batch_size", "num_epochs", "lr", "weight_decay", "margin",
)  # fmt: skip
TRANSFORMS = ("tfm_train", "tfm_test")
CLASSES = (
    "PatchEmbeddings", "PositionEmbedding", "ResidualAttentionBlock", "Transformer", "ViT",
    "ClassificationHead", "LinearEmbeddingHead",
)  # fmt: skip
TRAINING = (  # calls of these at the top level are never executed
    "train_classification_model", "test_classification_model", "train_embedding_model",
    "evaluate_at_end_epoch", "test_embedding_model", "get_embeddings_over_dataset",
    "train_classification_model_head_only",
)  # fmt: skip
FUNCTIONS = (*TRAINING, "sample_balanced_subset", "get_embeddings", "retrieve_topk_nearest_neighbors_l2")

WANTED = (*HYPERPARAMETERS, *TRANSFORMS, *CLASSES, *FUNCTIONS)
PROVIDED = ("train_dataset", "test_dataset", "train_loader", "test_loader", "FashionMNIST")
