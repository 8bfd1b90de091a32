"""Remote resources: one class each, planned before they are applied."""
