"""The pure types that everything else speaks in: positions, resources, differences, changes, plans."""
