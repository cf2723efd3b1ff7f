"""Text to statements: places, kinds, parameters, identifiers. Pure: no driver, no files."""
