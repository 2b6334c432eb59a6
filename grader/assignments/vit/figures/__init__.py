"""Pictures of the pages that know this assignment."""
