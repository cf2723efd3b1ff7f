"""Migration files on disk: names, versions, headers, checksums. Pure: no driver, no database."""
