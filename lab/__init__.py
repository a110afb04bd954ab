"""What runs and studies the three scripts: the command line, many seeds, films, checkpoints."""
