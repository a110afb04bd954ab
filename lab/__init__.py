"""What runs and studies the three scripts."""
