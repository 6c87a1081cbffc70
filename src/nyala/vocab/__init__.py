"""The words that all rooms share: quantities, quality codes, identifiers, time and errors.  Knows no other room."""
