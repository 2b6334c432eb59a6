"""The wall between the grader and student code: `outside` drives workers, `inside` runs beside a submission."""
