"""The workload file: schema, loading, reload; and the one composition root that wires it all."""
