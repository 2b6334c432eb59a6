"""A class: many submissions, nothing lost, nothing graded twice."""
