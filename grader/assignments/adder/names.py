"""The assignment's names, in one place, and what the course gives."""

WANTED = (
    "characters", "block_size", "n_layer", "n_head", "d_model", "batch_size", "num_epochs", "lr",
    "Tokenizer", "CausalSelfAttention", "Block", "GPT", "generate", "train_model",
)  # fmt: skip
PROVIDED = ("train_dataset", "test_dataset")

CHARACTERS = "+.0123456789="
BLOCK_SIZE = 12  # tokens of "999+999=8991"
ATTENTION = ("attention.causality", "attention.heads")  # criteria of the parts that a GPT is made of
MODEL = (*ATTENTION, "model.block", "model.positions", "model.gpt")
