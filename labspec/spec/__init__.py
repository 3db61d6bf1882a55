"""The spec language: YAML with positions, variables, lookups and includes, made into a validated lab."""
