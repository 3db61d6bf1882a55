"""A lab as artifacts: files that other tools understand without labspec."""
