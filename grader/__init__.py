"""A grading harness for one assignment: Vision Transformers on FashionMNIST."""
