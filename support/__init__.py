"""What the three scripts need and a learner needn't read: checks of settings, safe file writing."""
