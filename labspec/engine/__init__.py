"""The engine: read the host once, plan without touching it, execute what was planned."""
