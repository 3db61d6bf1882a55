"""What labspec found and did, as text for people and as JSON for programs."""
