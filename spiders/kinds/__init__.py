"""One module per kind of list. Each reads one answer: text in, `spiders.rows.Listing` out, nothing fetched."""
