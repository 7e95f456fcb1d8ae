"""How pages are listed and fetched; one TOML file per source in sources/."""
