"""Asking and judging ``nn.Module`` classes: builds and calls by name, their answers, and what any module must do."""
