"""The lab sheet: what it says, and what was captured for it."""
