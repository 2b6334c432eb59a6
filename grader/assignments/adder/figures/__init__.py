"""Pictures of what a submission does, for its page."""
