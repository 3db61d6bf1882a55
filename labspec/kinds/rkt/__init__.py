"""Pods of rkt: each started as a transient unit, found again by its label, never restarted but made anew."""
