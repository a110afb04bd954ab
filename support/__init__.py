"""What the three scripts call, and a learner needn't read.

- Settings and points: checks has the rule of each setting, datasets makes points, csv_file reads
  them; best_possible tells how good one can be on them.
- Models: layers, modes, threads.
- Files: model_files saves models, in the format of tensor_files; files writes them safely.
- The process: program, interrupts, memory. What is printed: text.
"""
