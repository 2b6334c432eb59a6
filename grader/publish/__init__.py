"""Commands beside grading: what is made for students, and for the systems that run the grader."""
