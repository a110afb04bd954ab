"""What calls the three scripts: the command line, many seeds, studies, and the lessons' helpers.

- `python train.py`: command_line and parser read what is asked for, run does it once; reports,
  pictures and progress tell of it. `python helper_functions.py`: saved_models.
- `python train.py --seeds`: run_many has many_seeds train them, as ensemble and in turns,
  statistics sum them up, and many_boundaries draw them.
- Runs that are stopped: checkpoints keep each running_training. Among several processes:
  processes and shares.
- Training to look at: film, and page, which trains in a browser.
- Studies of why ReLU bends the line: pieces, piece_counts, bent_plane, smallest, squares and
  leave_one_out; study_pictures draws them. trained, points and sequential are what they share.
- The lessons' helpers: lesson_pictures, lesson_comparisons, lesson_probabilities and lesson_seeds.
"""
