"""What a worker does for this assignment: operations that exercise a student's names and report facts."""
