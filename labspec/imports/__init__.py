"""Other tools' files as specs: one module for each source, which reads it and returns an `Imported`.

The contract of a source:

- `labspec/imports/SOURCE.py` (and `SOURCE_*.py`) reads files or the host, and prints nothing. It returns an `Imported`:
  the sections of a spec as plain values or, where the source has comments, as ruamel's round-trip values with those
  comments; and a `Loss` for everything that a spec cannot say, by name and with its position. What is neither in the
  sections nor among the losses is a mistake of the importer. What the source's own tool refuses raises LabError, with
  the position of what is wrong.
- `labspec/cli/importers/SOURCE.py` has the `command`, with `@delivery.options` among its decorators, and hands what
  it imported to `delivery.deliver`. A line in COMMANDS of `labspec/cli/import_.py` makes it known.
- `writing.spec_text` makes the text: the order of sections, quoting, blocks and lists are decided there alone.
- Its tests compare what the imported spec renders to with the source, by the tool that owns the format.
"""
