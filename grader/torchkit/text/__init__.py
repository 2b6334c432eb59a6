"""Models of text: tokenizers, who looks at whom, the loss over tokens, and generation."""
