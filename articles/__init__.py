"""What an article is. Pure: bytes in, records out; no network, no disk, no clock."""
