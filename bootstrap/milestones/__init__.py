"""Weekly milestones as git tags."""
