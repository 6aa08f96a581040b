"""What a contribution is asked for, and rows on their way into a training set."""
