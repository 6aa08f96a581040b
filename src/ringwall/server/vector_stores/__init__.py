"""The vector stores API over the collections of the workload file."""
