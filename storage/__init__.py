"""The Parquet lake, the page archive, the ledger and the quarantine."""
