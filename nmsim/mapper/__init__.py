"""The mapper: searches the mapping that serves an objective best, with the analytic model and the prices inside."""
