"""A toolkit for any assignment in torch: modules, trainings, schedules, checkpoints, images."""
